"""How sure a share is that was counted on a sample, and how large numbers become by chance alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, gammaln, ndtri

# Two-sided 95 % quantile of the standard normal distribution.
Z_95 = 1.959963984540054


def wilson(successes: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % score interval of shares (Wilson 1927).

    Parameters
    ----------
    successes, trials
        Counts, of one shape; ``0 <= successes <= trials``.

    Returns
    -------
    low, high
        float64 of that shape, 0 to 1; 0 and 1 where there was no trial.
    """
    count = np.asarray(trials, np.float64)
    tried = np.maximum(count, 1.0)
    share = np.asarray(successes, np.float64) / tried
    square = Z_95**2 / tried
    middle = share + square / 2
    half = np.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    # At the ends the bound is exactly 0 or 1; only rounding says otherwise.
    low = np.where((share == 0) | (count == 0), 0.0, np.maximum(low, 0.0))
    high = np.where((share == 1) | (count == 0), 1.0, np.minimum(high, 1.0))
    return low, high


def chance_below(successes: ArrayLike, trials: ArrayLike, share: float) -> NDArray[np.float64]:
    """Return how often chance alone gives so few successes: one tail of the exact binomial test.

    Parameters
    ----------
    successes, trials
        Counts, of one shape; ``0 <= successes <= trials``.
    share
        The share of successes that is assumed, 0 to 1.

    Returns
    -------
    float64 of that shape
        0 to 1; 1 where there was no trial.
    """
    return np.asarray(bdtr(np.asarray(successes, np.float64), np.asarray(trials, np.int64), share))


def largest_correlation_by_chance(others: int, samples: int) -> float:
    """Return what the largest correlation with independent variables stays below half of the time.

    That holds for variables that are normally distributed, by Fisher's transformation (1921).

    Parameters
    ----------
    others
        Variables that are compared with one, at least 1.
    samples
        At least 4.

    Returns
    -------
    float
        -1 to 1.
    """
    return float(np.tanh(ndtri(0.5 ** (1 / others)) / np.sqrt(samples - 3)))


def largest_count_by_chance(draws: int, sizes: ArrayLike) -> int:
    """Return how often the most frequent class comes up in the median of random draws, none put back.

    Each class comes up as the hypergeometric distribution has it; the classes are taken to do so
    independently of each other, which for more than a few is nearly so.

    Parameters
    ----------
    draws
        How many, at least 1, at most the sum of the sizes.
    sizes
        (C,) int, how many there are of each class.

    Returns
    -------
    int
        1 to `draws`.
    """
    size, classes = np.unique(np.asarray(sizes, np.int64), return_counts=True)
    total, counts = int(np.dot(size, classes)), np.arange(draws + 1)
    below = np.ones(draws + 1)
    for one, times in zip(size.tolist(), classes.tolist(), strict=True):
        possible = (counts <= one) & (draws - counts <= total - one)
        own, others = np.where(possible, counts, 0), np.where(possible, draws - counts, 0)
        logarithm = _log_choose(one, own) + _log_choose(total - one, others) - _log_choose(total, draws)
        below *= np.cumsum(np.where(possible, np.exp(logarithm), 0.0)).clip(max=1.0) ** times
    return int(np.argmax(below >= 0.5))


def _log_choose(of: int, chosen: ArrayLike) -> NDArray[np.float64]:
    """Return the logarithm of the number of ways to choose some of so many."""
    picked = np.asarray(chosen, np.float64)
    rest = np.maximum(of - picked, 0)
    return np.asarray(gammaln(of + 1) - gammaln(picked + 1) - gammaln(rest + 1))
