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
