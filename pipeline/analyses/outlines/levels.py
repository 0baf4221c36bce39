"""The level above which a unit counts as active: that which one in two hundred of its outputs exceeds.

Bau, Zhou, Khosla, Oliva and Torralba, Network dissection, CVPR 2017, §3: T with P(a > T) = 0.005.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float32 = npt.NDArray[np.float32]

ONE_IN = 200  # outputs of a unit, over images and positions


class Tail:
    """The largest outputs of some units, as the outputs stream by.

    Exact, whatever the order: of U units no more is kept than the 0.5 % that decide.

    Parameters
    ----------
    units : int
        U.
    outputs : int
        The most outputs of each unit that will be added.
    """

    def __init__(self, units: int, outputs: int) -> None:
        self._kept = np.full((units, outputs // ONE_IN + 1), -np.inf, np.float32)
        self.outputs = 0

    def add(self, values: Array) -> None:
        """Add outputs (U, n) of each unit."""
        for kept, new in zip(self._kept, values, strict=True):
            larger = new[new > kept.min()]
            if larger.size:
                joined = np.concatenate([kept, larger])
                kept[:] = np.partition(joined, larger.size)[larger.size :]
        self.outputs += values.shape[1]

    def merge(self, other: Tail) -> None:
        """Add all that another tail of the same units has seen; it may hold as many outputs as this one."""
        seen = self.outputs + other.outputs
        self.add(other._kept)
        self.outputs = seen

    def level(self) -> Float32:
        """Return each unit's level, (U,): the smallest output that at most 0.5 % of the outputs exceed.

        It is NumPy's quantile 0.995 by the method "inverted_cdf".
        """
        if not self.outputs:
            return np.zeros(len(self._kept), np.float32)
        exceeding = self.outputs // ONE_IN
        place = self._kept.shape[1] - 1 - exceeding
        return np.partition(self._kept, place, axis=1)[:, place]


def levels(tail: Float32, maxima: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """Return the level at which each unit's maps are cut.

    Parameters
    ----------
    tail : (U,) float32
        Of `Tail.level`.
    maxima : (U,) float32
        Each unit's largest output over the dataset; 0 or less where it is never active.

    Returns
    -------
    level : (U,) float32
        That of the tail; half of the maximum where that of the tail is not positive: a unit that is silent
        at 99.5 % of all places would be outlined wherever it is active at all.
    half : (U,) bool
        Where it is half of the maximum.
    """
    half = (tail <= 0) & (maxima > 0)
    return np.where(half, maxima / 2, tail).astype(np.float32), half
