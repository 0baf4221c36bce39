"""The maps of drawn units on their winners, gathered while images stream by in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ids = npt.NDArray[np.int64]

LARGEST = float(np.finfo(np.float16).max)


class WinnerMaps:
    """The maps of V units on the images in their K places.

    Parameters
    ----------
    image_id : (V, K) int64
        The images, -1 in an empty place.
    maps : (V, K, h, w) float16
        Where the maps go, all zero; may lie on disk. Larger values than float16 can hold become its largest.

    Attributes
    ----------
    found : (V, K) bool
        Which places are filled.
    largest : (V,) float32
        The largest output in any of a unit's maps; -inf before the first.
    """

    def __init__(self, image_id: Ids, maps: npt.NDArray[np.float16]) -> None:
        self._maps = maps
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
                self._maps[unit, place] = np.clip(maps[unit], -LARGEST, LARGEST)
                self.found[unit, place] = True
                self.largest[unit] = max(self.largest[unit], maps[unit].max())
