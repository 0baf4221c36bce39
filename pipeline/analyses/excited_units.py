"""The units that an image excites most, each by how the image stands among all images in that unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Float32 = NDArray[np.float32]

# Units whose ranks of all images asked for are in memory together: 50 MB where these are 20,000.
AT_ONCE = 64
# Where a unit is not active on an image, the image has no rank in it: it comes after every other.
NOT_EXCITED = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Excited:
    """Of n images the m units that each excites most, the first first; -1 where it excites fewer.

    Attributes
    ----------
    layer, unit : (n, m) int64
        The layer's place, and the unit's number in it.
    rank : (n, m) int64
        Images that excite the unit at least as much, this one among them: 1 where no other does.
    value : (n, m) float32
        What the rank is of; NaN where there is no unit.
    """

    layer: Ids
    unit: Ids
    rank: Ids
    value: Float32


def standing(maxima: Float32, rows: NDArray[np.intp]) -> tuple[Ids, NDArray[np.float64]]:
    """Say how some images stand among all, in one unit.

    Parameters
    ----------
    maxima : (N,)
        The unit's largest activation on every image, finite.
    rows : (n,)
        The images that are asked for.

    Returns
    -------
    rank : (n,) int64
        Images whose maximum is as large or larger: of equal ones all have the same, the last.
    score : (n,) float64
        Standard deviations above the mean over all images; 0 where all are equal.
    """
    ordered, wanted = np.sort(maxima), maxima[rows]
    rank = len(maxima) - np.searchsorted(ordered, wanted, side="left")
    spread = maxima.std(dtype=np.float64)
    mean = maxima.mean(dtype=np.float64)
    score = (wanted - mean) / spread if spread > 0 else np.zeros(len(rows))
    return rank.astype(np.int64), score


class MostExcited:
    """Gathers for n images the units in which each stands highest, of units that come in parts.

    An image excites the units that are active on it, and no other, however high it stands in them.
    Of units in which an image has the same rank, that one is first in which it is the most standard
    deviations above the mean, and then the one that came first.

    Parameters
    ----------
    rows
        (n,) the images, among all.
    units
        m, kept for each image.
    """

    def __init__(self, rows: NDArray[np.intp], units: int) -> None:
        self._rows, self._units = rows, units
        kinds = (np.int64, np.int64, np.int64, np.float64, np.float32)
        self._columns: list[NDArray[Any]] = [np.zeros((len(rows), 0), kind) for kind in kinds]

    def add(self, layer: int, unit: Ids, maxima: Float32, active: NDArray[np.bool_]) -> None:
        """Take some units of a layer.

        Parameters
        ----------
        layer
            The layer's place.
        unit : (B,)
            Their numbers in it.
        maxima : (B, N)
            Their largest activations on every image, or what enters these, finite.
        active : (B, N)
            Whether the largest activation is positive.
        """
        for start in range(0, len(unit), AT_ONCE):
            here = slice(start, start + AT_ONCE)
            self._add(layer, unit[here], maxima[here], active[here])

    def _add(self, layer: int, unit: Ids, maxima: Float32, active: NDArray[np.bool_]) -> None:
        shape = (len(self._rows), len(unit))
        stands = [standing(one, self._rows) for one in maxima]
        rank = np.stack([rank for rank, _ in stands], 1)
        new: list[NDArray[Any]] = [
            np.full(shape, layer, np.int64), np.broadcast_to(unit, shape),
            np.where(active[:, self._rows].T, rank, NOT_EXCITED), np.stack([score for _, score in stands], 1),
            maxima[:, self._rows].T,
        ]  # fmt: skip
        together = [np.concatenate(pair, axis=1) for pair in zip(self._columns, new, strict=True)]
        _, _, rank, score, _ = together
        order = np.lexsort((-score, rank), axis=1)[:, : self._units]
        self._columns = [np.take_along_axis(column, order, 1) for column in together]

    def found(self) -> Excited:
        """Return what was gathered."""
        layer, unit, rank, _, value = self._columns
        lacking = ((0, 0), (0, self._units - layer.shape[1]))
        rank = np.pad(rank, lacking, constant_values=NOT_EXCITED)
        none = rank == NOT_EXCITED
        layer, unit, value = (np.pad(column, lacking) for column in (layer, unit, value))
        layer, unit, rank = (np.where(none, -1, column) for column in (layer, unit, rank))
        return Excited(layer, unit, rank, np.where(none, np.float32(np.nan), value))
