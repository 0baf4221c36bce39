"""Do projections tell units apart, or images? Likenesses of pairs, averaged, with intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
# An interval of fewer units says nothing.
LEAST = 3


def compare(
    alike: NDArray[np.float32], across: NDArray[np.float32], random: np.random.Generator
) -> NDArray[np.float64]:
    """Average likenesses over units, each unit's own average counting once.

    Parameters
    ----------
    alike, across : (V, k) float32
        Of V units: how alike their projections are to another unit's on the same image, and to their own on
        another image; NaN where unknown.
    random
        Draws the bootstrap's samples of units, with replacement.

    Returns
    -------
    (3, 3) float64
        Rows: alike, across, and their difference over the units that have both. Columns: the mean, and
        the ends of its 95 % bootstrap interval over units (percentiles; NaN of fewer than 3 units).
    """
    of_unit = np.stack([_means(alike), _means(across)])
    return np.stack([_estimate(one, random) for one in (*of_unit, of_unit[0] - of_unit[1])])


def _means(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each unit's mean over its places, NaN where it has none."""
    known = ~np.isnan(values)
    count = known.sum(1)
    total = np.where(known, values, 0).sum(1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _estimate(values: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    known = values[~np.isnan(values)]
    if len(known) < LEAST:
        mean = known.mean() if len(known) else np.nan
        return np.array([mean, np.nan, np.nan])
    means = random.choice(known, (DRAWS, len(known))).mean(1)
    tail = (1 - LEVEL) / 2
    return np.array([known.mean(), *np.quantile(means, (tail, 1 - tail))])
