"""Bootstrap intervals of numbers that come in groups, such as many points of each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[Any]], float]


def bootstrap_groups(
    groups: Sequence[NDArray[Any]], statistic: Statistic, *, repeats: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Return a percentile interval of a statistic over groups that are drawn whole (a cluster bootstrap).

    Parameters
    ----------
    groups
        Each (n, …), its own n; what was measured of one thing. Draws that hold nothing are left out.
    statistic
        Of groups that were joined.
    repeats, seed
        Draws, and their seed.
    level
        Share of the draws inside the interval.

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
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_crossed(
    groups: Sequence[NDArray[Any]], statistic: Statistic, *, repeats: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Return a percentile interval of a statistic over groups of rows and over columns, both drawn whole.

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
    level
        Share of the draws inside the interval.

    Returns
    -------
    low, high
        NaN where fewer than two groups hold something.
    """
    rng = np.random.default_rng(seed)

    def of_drawn(rows: NDArray[Any]) -> float:
        return statistic(rows[:, rng.integers(0, rows.shape[1], rows.shape[1])])

    return bootstrap_groups(groups, of_drawn, repeats=repeats, seed=seed + 1, level=level)
