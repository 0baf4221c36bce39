"""Differences of what was measured on the same images twice, with intervals.

An interval says what other images of the same kind would give. It does not say what another training would:
of that two runs are a sample of two.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.intervals import wilson

CHANCE = 0.05
REPEATS = 2000


@dataclass(frozen=True)
class Difference:
    """Second minus first.

    Attributes
    ----------
    first, second
        What either measured.
    low, high
        95 % interval of the difference.
    chance
        How often chance alone gives one as large; None where there is no test.
    """

    first: float
    second: float
    low: float
    high: float
    chance: float | None = None

    @property
    def value(self) -> float:
        """The difference."""
        return self.second - self.first

    @property
    def is_noise(self) -> bool:
        """Whether it may be none: the interval holds 0, or chance alone gives as much too often."""
        return self.low <= 0 <= self.high or (self.chance is not None and self.chance >= CHANCE)


def difference_of_shares(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Difference:
    """Compare two shares of the same n images, n at least 1.

    The interval is the tenth method of Newcombe (Statistics in Medicine 17, 1998, 2635-2650): Wilson's of
    either share, put together by their correlation; it does not shrink to nothing where the two agree on
    every image. The chance is McNemar's, exact (1947): of the images on which they disagree.

    Parameters
    ----------
    first, second
        (n,) whether either is right.
    """
    count = len(first)
    lost, won = int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))
    ours, theirs = int(np.count_nonzero(first)), int(np.count_nonzero(second))
    one, other = ours / count, theirs / count
    (low_1, low_2), (high_1, high_2) = wilson([ours, theirs], [count, count])
    phi = _phi(count, ours, theirs, int(np.count_nonzero(first & second)))
    below = _together(other - low_2, high_1 - one, phi)
    above = _together(high_2 - other, one - low_1, phi)
    return Difference(one, other, other - one - below, other - one + above, mcnemar(lost, won))


def difference_of_means(
    first: NDArray[np.floating], second: NDArray[np.floating], *, seed: int
) -> Difference:
    """Compare two means over the same n images, n at least 1: bootstrap of the differences."""
    apart = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    low, high = bootstrap_means(apart[:, None], repeats=REPEATS, seed=seed)
    return Difference(float(np.mean(first)), float(np.mean(second)), float(low[0]), float(high[0]))


def mcnemar(lost: int, won: int) -> float:
    """Return how often a fair coin divides the images on which two disagree as unevenly: exact, two-sided."""
    return min(1.0, 2 * float(bdtr(min(lost, won), lost + won, 0.5))) if lost + won else 1.0


def _phi(count: int, ours: int, theirs: int, both: int) -> float:
    """Return the correlation of two shares, with Newcombe's correction for continuity."""
    only_first, only_second = ours - both, theirs - both
    neither = count - both - only_first - only_second
    margins = float(ours) * (count - ours) * theirs * (count - theirs)
    if margins == 0:
        return 0.0
    product = float(both) * neither - float(only_first) * only_second
    if product > 0:
        product = max(product - count / 2, 0.0)
    return product / margins**0.5


def _together(one: float, other: float, phi: float) -> float:
    return float(np.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0)))
