"""The projections of a unit put together: scaled, fitted, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.projections.cuts import Cut, Maps, fitted, likeness
from pipeline.formats.projections import ProjectedUnit


@dataclass(frozen=True)
class Place:
    """What was sent back to one image: by rule the unit's signal and the other unit's, and which that is."""

    own: Mapping[str, Cut]
    others: Mapping[str, Cut]
    other: int


def assembled(
    image_id: NDArray[np.int64],
    places: Mapping[int, Place],
    rules: Sequence[str],
    shape: tuple[int, int, int],
    *,
    placed: bool,
) -> ProjectedUnit:
    """Put a unit's projections together.

    Parameters
    ----------
    image_id : (k,) int64
        -1 in an empty place.
    places
        By place; an image that could not be read is not there.
    rules
        By which signals were sent.
    shape
        S, S, C: the squares of so many channels that projections are put into, in the left upper corner;
        longer ones are brought down to them.
    placed
        Whether it is known where in its box a neuron lies; if not, those of two images are not compared:
        where on them the unit is active would decide how alike they are.
    """
    k = len(image_id)
    extent = np.zeros((k, 2), np.uint16)
    maps = {rule: np.zeros((k, *shape), np.float16) for rule in rules}
    others = {rule: np.zeros(shape, np.float16) for rule in rules}
    largest, alike, across = (
        {rule: np.full(k, fill, np.float32) for rule in rules} for fill in (0, np.nan, np.nan)
    )
    for place, found in places.items():
        for rule in rules:
            own, other = found.own[rule], found.others[rule]
            extent[place], largest[rule][place] = _put(own.values, maps[rule][place])
            if not place:
                _put(other.values, others[rule])
            if found.other >= 0:
                alike[rule][place] = likeness(own, other)
            if placed and place + 1 in places:
                across[rule][place] = likeness(own, places[place + 1].own[rule])
    return ProjectedUnit(
        np.where([place in places for place in range(k)], image_id, -1), extent,
        np.array([places[place].other if place in places else -1 for place in range(k)], np.int64),
        maps, others, largest, alike, across,
    )  # fmt: skip


def _put(values: Maps, into: NDArray[np.float16]) -> tuple[tuple[int, int], float]:
    """Put a cut into the corner of a square, scaled; return its extent and what it was divided by."""
    small = fitted(values, len(into))
    height, width = small.shape[:2]
    largest = float(np.abs(small).max(initial=0))
    into[:height, :width] = small / largest if largest else 0
    return (height, width), largest
