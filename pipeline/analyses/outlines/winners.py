"""The maps of drawn units on their winners, gathered while images stream by in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ids = npt.NDArray[np.int64]

Float32 = npt.NDArray[np.float32]

LARGEST = float(np.finfo(np.float16).max)
# Units whose maxima lie between these are kept as they are: a thousandth of them still has three digits.
_COMFORTABLE = 2.0**-4, 2.0**15


def scales(maxima: Float32) -> Float32:
    """Return what each unit's maps are divided by, so that float16 can hold them.

    Parameters
    ----------
    maxima : (V,) float32
        Each unit's largest output, -inf where it is never active.

    Returns
    -------
    (V,) float32
        1 for all ordinary units; else the power of two that brings the maximum between 1 and 2.
    """
    low, high = _COMFORTABLE
    beyond = np.isfinite(maxima) & (maxima > 0) & ((maxima < low) | (maxima > high))
    exponent = np.frexp(np.where(beyond, maxima, 1.0))[1] - 1
    return np.where(beyond, np.ldexp(1.0, exponent), 1.0).astype(np.float32)


class WinnerMaps:
    """The maps of V units on the images in their K places.

    Parameters
    ----------
    image_id : (V, K) int64
        The images, -1 in an empty place.
    maps : (V, K, h, w) float16
        Where the maps go, all zero; may lie on disk. Larger values than float16 can hold become its largest.
    scale : (V,) float32
        What each unit's maps are divided by.

    Attributes
    ----------
    found : (V, K) bool
        Which places are filled.
    largest : (V,) float32
        The largest output in any of a unit's maps; -inf before the first.
    """

    def __init__(self, image_id: Ids, maps: npt.NDArray[np.float16], scale: Float32) -> None:
        self._maps, self._scale = maps, scale
        self.found = np.zeros(image_id.shape, np.bool_)
        self.largest = np.full(len(image_id), -np.inf, np.float32)
        flat = image_id.ravel()
        self._order = np.argsort(flat, kind="stable")
        self._sorted = flat[self._order]

    def add(self, image_ids: Sequence[int], values: Array) -> None:
        """Keep what is wanted of some images.

        Parameters
        ----------
        image_ids : sequence of int
            n of them, none twice.
        values : (n, V, h, w)
            The drawn units' maps on them.
        """
        for image_id, maps in zip(image_ids, values, strict=True):
            first, last = np.searchsorted(self._sorted, [image_id, image_id + 1])
            for unit, place in zip(*np.unravel_index(self._order[first:last], self.found.shape), strict=True):
                self._maps[unit, place] = np.clip(maps[unit] / self._scale[unit], -LARGEST, LARGEST)
                self.found[unit, place] = True
                self.largest[unit] = max(self.largest[unit], maps[unit].max())

    def merge(self, found: npt.NDArray[np.bool_], largest: Float32) -> None:
        """Add what others found of other images, whose maps lie in the same place."""
        self.found |= found
        np.maximum(self.largest, largest, out=self.largest)
