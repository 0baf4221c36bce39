"""Whether two who label the same images differ, and whether they err on the same ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from pipeline.numerics.bootstrap import ENDS

# The cells of a table of two who label the same images, in the order of its last axis.
CELLS = ("both right", "only the first right", "only the second right", "both wrong")


def cells(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, of two who label the same n images, where both are right, only one, and neither.

    Parameters
    ----------
    first, second
        (n,) whether each is right.

    Returns
    -------
    (4,) int64
        In the order of `CELLS`.
    """
    place = np.where(first, np.where(second, 0, 1), np.where(second, 2, 3))
    return np.bincount(place, minlength=len(CELLS)).astype(np.int64)


def error_consistency(table: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return how much more often two are right or wrong together than by chance (Geirhos et al. 2020).

    Cohen's kappa of being right: (c_obs - c_exp) / (1 - c_exp), where c_obs is the share of the images on
    which both are right or both wrong, and c_exp what it would be if they erred independently. It is 1 where
    c_obs is 1, even if nobody errs.

    Parameters
    ----------
    table
        (..., 4) counts in the order of `CELLS`, at least one image each.

    Returns
    -------
    (...) float64
        At most 1; 0 by chance.
    """
    both, one, other, neither = np.moveaxis(np.asarray(table, np.float64), -1, 0)
    images = both + one + other + neither
    first, second = (both + one) / images, (both + other) / images
    observed = (both + neither) / images
    expected = first * second + (1 - first) * (1 - second)
    alike = one + other == 0
    return np.where(alike, 1.0, (observed - expected) / np.where(alike, 1.0, 1 - expected))


def mean_consistency(tables: NDArray[np.integer]) -> float:
    """Return the mean of `error_consistency` over C conditions that have images; `tables` is (C, 4)."""
    seen = tables[tables.sum(axis=1) > 0]
    return float(error_consistency(seen).mean())


def consistency_interval(tables: NDArray[np.integer], *, repeats: int, seed: int) -> tuple[float, float]:
    """Return a 95 % percentile bootstrap interval of `mean_consistency`, images drawn within each condition.

    Drawing n images anew changes nothing but how many fall in each cell, which is multinomial.

    Parameters
    ----------
    tables
        (C, 4) counts.
    repeats, seed
        Samples that are drawn, and what they begin from.
    """
    rng, seen = np.random.default_rng(seed), tables[tables.sum(axis=1) > 0]
    drawn = np.stack([rng.multinomial(table.sum(), table / table.sum(), repeats) for table in seen])
    low, high = np.quantile(error_consistency(drawn).mean(axis=0), ENDS)
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947): images on which only one of two is right.

    It is 1 where there is no such image.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


@dataclass(frozen=True)
class Proportions:
    """A test of two proportions.

    Attributes
    ----------
    z
        How many standard errors the larger share of errors is above the smaller.
    p
        One-sided: the chance of such a z or a larger one if both err alike.
    """

    z: float
    p: float


def two_proportions(first: int, second: int, images: int) -> Proportions:
    """Test the errors of two on n images as if they had labelled different ones: pooled z, one-sided.

    This is how Karpathy (2014) compares 76 and 102 errors in 1,500. The images are the same, so that it looks
    away from the pairs; `mcnemar` does not.

    Parameters
    ----------
    first, second
        Errors of each.
    images
        Of either, at least 1.
    """
    pooled = (first + second) / (2 * images)
    if not 0 < pooled < 1:
        return Proportions(0.0, 0.5)
    z = abs(first - second) / images / float(np.sqrt(pooled * (1 - pooled) * 2 / images))
    return Proportions(z, float(norm.sf(z)))
