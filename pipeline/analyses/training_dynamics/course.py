"""How a number that each image has goes from checkpoint to checkpoint, with intervals over the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 95  # per cent


@dataclass(frozen=True)
class Course:
    """A number's mean at each of T checkpoints, and its change from the first to the last.

    Attributes
    ----------
    mean, low, high : (T,) float64
        Over the images, and the ends of its interval.
    change, change_low, change_high
        Of the mean, the images being paired.
    images
        That have the number at every checkpoint.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    change: float
    change_low: float
    change_high: float
    images: int

    @property
    def direction(self) -> int:
        """1 where the interval of the change lies above 0, -1 where it lies below, else 0."""
        return int(self.change_low > 0) - int(self.change_high < 0)


def course(values: NDArray[np.floating], seed: int) -> Course | None:
    """Average over images, and draw the images again and again to see how sure the averages are.

    Parameters
    ----------
    values
        (T, N): of each image at each checkpoint; NaN where it has none.
    seed
        Of the draws.

    Returns
    -------
    Course or None
        Percentile intervals of 95 %. None where no image has the number at every checkpoint.
    """
    paired = values[:, np.isfinite(values).all(0)].astype(np.float64)
    images = paired.shape[1]
    if not images:
        return None
    counts = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), RESAMPLES)
    drawn = counts @ paired.T / images
    ends = (50 - LEVEL / 2, 50 + LEVEL / 2)
    low, high = np.percentile(drawn, ends, axis=0)
    change_low, change_high = np.percentile(drawn[:, -1] - drawn[:, 0], ends)
    mean = paired.mean(1)
    return Course(mean, low, high, float(mean[-1] - mean[0]), float(change_low), float(change_high), images)
