"""For which class a unit stands out, and how far: the class selectivity index.

Morcos, Barrett, Rabinowitz and Botvinick, *On the importance of single directions for generalization*,
ICLR 2018: (m - o) / (m + o), of the largest class-conditional mean activity m and the mean o over all other
classes. It is 0 for a unit that answers to all classes alike, 1 for one that answers to a single class; it
has no meaning for a unit of which a class's mean is negative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Selectivity(NamedTuple):
    """Of U units.

    Attributes
    ----------
    value : (U,) float32
        0 to 1; NaN where there is none.
    label : (U,) int32
        The class with the largest mean; -1 where there is none.
    """

    value: NDArray[np.float32]
    label: NDArray[np.int32]


class ClassMeans:
    """The mean activity of units on each class's images, over a stream of images.

    Parameters
    ----------
    classes : (C,) int32
        The labels that there are, ascending.
    units
        U.
    """

    def __init__(self, classes: NDArray[np.int32], units: int) -> None:
        self._classes = classes
        self._sums = np.zeros((len(classes), units))
        self._images = np.zeros(len(classes), np.int64)

    def add(self, activity: NDArray[np.float32], label: NDArray[np.int32]) -> None:
        """Take over the activity (n, U) of images with labels (n,); those without one, -1, are left out."""
        labelled = np.flatnonzero(label >= 0)
        if not len(labelled):
            return
        order = labelled[np.argsort(label[labelled], kind="stable")]
        found, start, images = np.unique(label[order], return_index=True, return_counts=True)
        place = np.searchsorted(self._classes, found)
        self._sums[place] += np.add.reduceat(activity[order], start, axis=0, dtype=np.float64)
        self._images[place] += images

    def selectivity(self) -> Selectivity:
        """Return how far each unit stands out for one class; of equal means the first class is named."""
        count, units = self._sums.shape
        if count < 2:
            return Selectivity(np.full(units, np.nan, np.float32), np.full(units, -1, np.int32))
        mean = self._sums / self._images[:, None]
        best = mean.argmax(0)
        most = mean[best, np.arange(units)]
        others = (mean.sum(0) - most) / (count - 1)
        has = (mean.min(0) >= 0) & (most > 0)
        # Rounding of the sum can leave a little less than nothing.
        others = np.maximum(others, 0)
        index = np.divide(most - others, most + others, out=np.full(units, np.nan), where=has)
        label = np.where(has, self._classes[best], -1)
        return Selectivity(index.astype(np.float32), label.astype(np.int32))
