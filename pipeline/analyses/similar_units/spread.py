"""Mean and spread of units' maxima over many images, added up block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass
class Spread:
    """What is known of U units after some images.

    Attributes
    ----------
    images
        How many.
    mean : (U,) float64
    squares : (U,) float64
        Sum over the images of the squared distance from the mean.
    low, high : (U,) float32
        Smallest and largest value.
    """

    images: int
    mean: Float64
    squares: Float64
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def none(cls, units: int) -> Spread:
        """Return what is known after no image."""
        zeros, inf = np.zeros(units), np.full(units, np.inf, np.float32)
        return cls(0, zeros, zeros, inf, -inf)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in the values (n, U) of n images."""
        # What is not finite makes its own unit's numbers NaN, which `varies` knows of.
        with np.errstate(invalid="ignore"):
            mean = values.mean(0, dtype=np.float64)
            squares = np.square(values - mean).sum(0)
        self.merge(Spread(len(values), mean, squares, values.min(0), values.max(0)))

    def merge(self, other: Spread) -> None:
        """Take over what is known of other images (Chan, Golub & LeVeque 1979)."""
        images = self.images + other.images
        share = other.images / images if images else 0.0
        with np.errstate(invalid="ignore"):
            apart = other.mean - self.mean
            self.squares = self.squares + other.squares + np.square(apart) * share * self.images
            self.mean = self.mean + apart * share
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.images = images

    @property
    def varies(self) -> NDArray[np.bool_]:
        """(U,) bool: whether the values are finite and not all equal; else nothing correlates with them."""
        return np.isfinite(self.squares) & (self.low < self.high)

    def standardised(self, values: NDArray[np.float32], units: slice) -> Float64:
        """Return values (n, U') of a run of units so that a product over all images is a correlation.

        Units that do not vary come out as zeros.
        """
        varies = self.varies[units]
        length = np.sqrt(np.where(varies, self.squares[units], 1.0))
        with np.errstate(invalid="ignore"):
            centred = values - self.mean[units]
        centred[:, ~varies] = 0.0
        centred /= length
        return centred
