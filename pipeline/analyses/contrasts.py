"""What units do on images that do not excite them most: the weakest that do at all, and some at random."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.topk.streaming import TopK

Float32 = NDArray[np.float32]
Ids = NDArray[np.int64]


class Places(NamedTuple):
    """Images of V units, K each.

    Attributes
    ----------
    value : (V, K) float32
        What the images are ranked by; -inf in a place that stays empty.
    image_id : (V, K) int64
        -1 in a place that stays empty.
    position : (V, K, 2) uint16
        y, x of the maximum in the layer's map.
    active : (V, K) bool
        Whether the unit's output is positive.
    """

    value: Float32
    image_id: Ids
    position: NDArray[np.uint16]
    active: NDArray[np.bool_]


class Contrasts:
    """Gathers the images of some units of a layer while all images come by.

    Parameters
    ----------
    units : int
        How many.
    k : int
        Weakest images kept of each, at least 1.
    image_id : (K,) int64
        The images at random, ascending.
    """

    def __init__(self, units: int, k: int, image_id: Ids) -> None:
        self._weakest, self._chosen = TopK(k), image_id
        shape = (units, len(image_id))
        self._random = Places(
            np.full(shape, -np.inf, np.float32),
            np.tile(image_id, (units, 1)),
            np.zeros((*shape, 2), np.uint16),
            np.zeros(shape, np.bool_),
        )

    def add(self, image_id: Ids, keys: Float32, positions: NDArray[np.uint16], outputs: Float32) -> None:
        """Take in n images.

        Parameters
        ----------
        image_id
            (n,) ascending; no image may be added twice.
        keys
            (n, V) what they are ranked by.
        positions
            (n, V, 2) of these maxima.
        outputs
            (n, V) largest outputs.

        Raises
        ------
        ValueError
            As of `TopK.add`.
        """
        active = outputs > 0
        self._weakest.add(np.where(active, -keys, np.float32(-np.inf)), image_id, positions)
        rows = np.flatnonzero(np.isin(image_id, self._chosen))
        at = np.searchsorted(self._chosen, image_id[rows])
        value, _, position, is_active = self._random
        value[:, at], is_active[:, at] = keys[rows].T, active[rows].T
        position[:, at] = positions[rows].swapaxes(0, 1)

    def weakest(self) -> Places:
        """Return the images that excite each unit least and yet do, the weakest first."""
        found = np.isfinite(self._weakest.value)
        value = np.where(found, -self._weakest.value, np.float32(-np.inf))
        return Places(value, np.where(found, self._weakest.image_id, -1), self._weakest.position, found)

    def random(self) -> Places:
        """Return the images at random, of each unit the strongest first."""
        value, image_id, position, active = self._random
        order = np.argsort(-value, axis=1, kind="stable")
        rows = np.arange(len(value))[:, None]
        return Places(value[rows, order], image_id[rows, order], position[rows, order], active[rows, order])
