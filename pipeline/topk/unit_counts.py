"""What all images say of each unit: how many activate it, and how many give its largest output."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

# A sum of 255 booleans still fits the uint8 that numpy adds fastest.
ROWS = 255


@dataclass
class UnitCounts:
    """Counts of images, a number for each of U units.

    Attributes
    ----------
    active : (U,) int64
        With a positive maximum.
    largest : (U,) float32
        The largest maximum; -inf before the first image.
    at_maximum : (U,) int64
        With that maximum.
    """

    active: Counts = field(default_factory=lambda: np.empty(0, np.int64))
    largest: Float32 = field(default_factory=lambda: np.empty(0, np.float32))
    at_maximum: Counts = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def none(cls, units: int) -> UnitCounts:
        """Return the counts of no image."""
        zeros = np.zeros(units, np.int64)
        return cls(zeros, np.full(units, -np.inf, np.float32), zeros)

    def add(self, values: Float32, largest: Float32) -> None:
        """Count images by their maxima (n, U), of which `largest` (U,) are the largest."""
        positive, equal = np.zeros((2, len(largest)), np.int64)
        for start in range(0, len(values), ROWS):
            rows = values[start : start + ROWS]
            positive += _sum(rows > 0)
            equal += _sum(rows == largest)
        self.merge(UnitCounts(positive, largest, equal))

    def merge(self, other: UnitCounts) -> None:
        """Take over the counts of other images."""
        largest = np.maximum(self.largest, other.largest)
        self.at_maximum = np.where(self.largest == largest, self.at_maximum, 0) + np.where(
            other.largest == largest, other.at_maximum, 0
        )
        self.active, self.largest = self.active + other.active, largest


def _sum(marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.add.reduce(marked.view(np.uint8), axis=0, dtype=np.uint8))
