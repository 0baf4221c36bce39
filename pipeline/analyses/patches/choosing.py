"""Which units and ranks of a layer are drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError

Array = npt.NDArray[Any]
Indices = npt.NDArray[np.intp]


def choose_units(wanted: int | Sequence[int], total: int, layer: str, seed: int) -> Indices:
    """Units of a layer that are drawn.

    A number means a sample spread over the layer: the units are cut into that many runs of nearly equal
    length, and one is drawn from each by a hash of seed, layer and run, so that the choice depends on
    nothing else.

    Parameters
    ----------
    wanted : int or sequence of int
        How many, or their numbers.
    total : int
        Units of the layer.
    layer : str
        Its name.
    seed : int
        Another seed draws other units.

    Returns
    -------
    (V,) intp
        Ascending; all of them if there are no more than are wanted.

    Raises
    ------
    UserError
        If a number is not a unit of the layer.
    """
    if not isinstance(wanted, int):
        if max(wanted) >= total:
            raise UserError(
                f"patches.units: no unit {max(wanted)} in {layer}, which has {total} (0 to {total - 1}); "
                "leave it out or name other layers"
            )
        return np.unique(np.asarray(wanted, np.intp))
    if wanted >= total:
        return np.arange(total)
    ends = np.arange(wanted + 1) * total // wanted
    draws = [_draw(f"{seed}/{layer}/{run}") for run in range(wanted)]
    lengths = np.diff(ends)
    return ends[:-1] + np.array([draw % int(n) for draw, n in zip(draws, lengths, strict=True)], np.intp)


def choose_ranks(value: Array, duplicate: Array, k: int) -> Indices:
    """The first k ranks of each unit that are positive and not passed over.

    Parameters
    ----------
    value : (V, R) float32
        Ranked, the largest first.
    duplicate : (V, R) bool
        Ranks to pass over.
    k : int
        Places of a row.

    Returns
    -------
    (V, k) intp
        Ranks; -1 in the places that stay empty.
    """
    eligible = (value > 0) & ~duplicate
    ranks = np.argsort(~eligible, axis=1, kind="stable")[:, :k]
    chosen = np.full((len(value), k), -1, np.intp)
    chosen[:, : ranks.shape[1]] = np.where(np.take_along_axis(eligible, ranks, 1), ranks, -1)
    return chosen


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
