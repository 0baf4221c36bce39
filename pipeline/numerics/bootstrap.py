"""Bootstrap intervals: of means, and of numbers that come in groups, such as many points of each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[Any]], float]

LEVEL = 0.95
# Shares of the draws below the ends of an interval.
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def bootstrap_means(
    values: NDArray[np.floating], *, repeats: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % percentile bootstrap intervals of means (Efron & Tibshirani 1993, section 13.3).

    Parameters
    ----------
    values
        (n, m) what was measured m times on each of n things, which are drawn together: intervals of
        differences are paired.
    repeats
        Samples drawn.
    seed
        Of the samples.

    Returns
    -------
    low, high
        (m,) float64.
    """
    rng, count = np.random.default_rng(seed), len(values)
    means = np.empty((repeats, values.shape[1]))
    for repeat in range(repeats):
        means[repeat] = values[rng.integers(0, count, count)].mean(axis=0)
    low, high = np.quantile(means, ENDS, axis=0)
    return low, high


def bootstrap_groups(
    groups: Sequence[NDArray[Any]], statistic: Statistic, *, repeats: int, seed: int
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over groups drawn whole (a cluster bootstrap).

    Parameters
    ----------
    groups
        Each (n, …), its own n; what was measured of one thing. Draws that hold nothing are left out.
    statistic
        Of groups that were joined.
    repeats, seed
        Draws, and their seed.

    Returns
    -------
    low, high
        NaN where fewer than two groups hold something.
    """
    if sum(len(group) > 0 for group in groups) < 2:
        return float("nan"), float("nan")
    rng, found = np.random.default_rng(seed), []
    for _ in range(repeats):
        drawn = np.concatenate([groups[one] for one in rng.integers(0, len(groups), len(groups))])
        if len(drawn):
            found.append(statistic(drawn))
    low, high = np.quantile(found, ENDS)
    return float(low), float(high)


def bootstrap_crossed(
    groups: Sequence[NDArray[Any]], statistic: Statistic, *, repeats: int, seed: int
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over groups of rows and columns, both drawn whole.

    Each draw takes groups, and independently of them columns, which all groups share: what was measured of
    many things by each of a few others, all of which may vary (the pigeonhole bootstrap, Owen 2007). Of few
    columns the interval is too narrow, and of one it knows nothing of how columns vary.

    Parameters
    ----------
    groups
        Each (n, R), its own n: of each thing, by R others.
    statistic
        Of the rows and columns that were drawn, joined.
    repeats, seed
        Draws, and their seed.

    Returns
    -------
    low, high
        NaN where fewer than two groups hold something.
    """
    rng = np.random.default_rng(seed)

    def of_drawn(rows: NDArray[Any]) -> float:
        return statistic(rows[:, rng.integers(0, rows.shape[1], rows.shape[1])])

    return bootstrap_groups(groups, of_drawn, repeats=repeats, seed=seed + 1)
