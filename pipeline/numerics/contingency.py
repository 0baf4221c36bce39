"""Whether outcomes go with groups: tests of tables of counts, and how they are corrected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc


class Association(NamedTuple):
    """Mantel and Haenszel's statistic, and its degrees of freedom; 0 and 0 where nothing could differ."""

    statistic: float
    freedom: int

    @property
    def chance(self) -> float:
        """How often chance alone gives as much, by the chi-squared distribution."""
        return float(chdtrc(self.freedom, self.statistic)) if self.freedom else 1.0


def mantel_haenszel(
    group: NDArray[np.integer], stratum: NDArray[np.integer], failed: NDArray[np.bool_]
) -> Association:
    """Test whether failures go with groups among what lies in one stratum.

    The generalised statistic of Mantel & Haenszel (1959; Landis et al. 1978) for general association, with
    two outcomes: failures of each group are added up over the strata and compared with what is expected
    where, within each stratum, they fall at random. With one stratum it is Pearson's, times (n - 1) / n.

    Parameters
    ----------
    group, stratum
        (n,) numbers from 0.
    failed
        (n,) outcomes.

    Returns
    -------
    Association
    """
    _, stratum = np.unique(stratum, return_inverse=True)
    _, group = np.unique(group, return_inverse=True)
    groups, strata = int(group.max(initial=-1)) + 1, int(stratum.max(initial=-1)) + 1
    cell = stratum * groups + group
    counted = np.bincount(cell, minlength=groups * strata).reshape(strata, groups).astype(np.float64)
    lost = np.bincount(cell, failed, groups * strata).reshape(strata, groups)
    size, out = counted.sum(1), lost.sum(1)
    surplus = (lost - counted * (out / size)[:, None]).sum(0)
    weight = out * (size - out) / (size**2 * np.maximum(size - 1, 1))
    spread = np.diag((weight * size) @ counted) - (counted * weight[:, None]).T @ counted
    freedom = int(np.linalg.matrix_rank(spread, hermitian=True)) if groups > 1 else 0
    if not freedom:
        return Association(0.0, 0)
    return Association(float(surplus @ np.linalg.pinv(spread, hermitian=True) @ surplus), freedom)


def chance_of_shuffles(
    counted: NDArray[np.int64], failed: NDArray[np.int64], *, repeats: int, seed: int
) -> float:
    """Return how often failures that are dealt out at random go with groups as much as they do.

    The statistic is Pearson's. Dealing them out to images gives each group as many as the multivariate
    hypergeometric distribution does, which is drawn instead.

    Parameters
    ----------
    counted, failed
        (G,) members of each group, 1 or more, and how many of them failed.
    repeats
        How often they are dealt out.
    seed
        Of that.

    Returns
    -------
    float
        (1 + those that go with groups as much) / (1 + repeats), Davison & Hinkley 1997, section 4.3.
    """
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        counted, failed.sum(), size=repeats, method="marginals"
    )
    expected = counted * (failed.sum() / counted.sum())

    def unlike(one: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(((one - expected) ** 2 / counted).sum(-1))

    # Equal tables may differ in the last bits.
    return float((1 + np.count_nonzero(unlike(drawn) >= unlike(failed) * (1 - 1e-9))) / (1 + repeats))


def holm(chances: ArrayLike) -> NDArray[np.float64]:
    """Correct the chances of several tests, so that all hold together (Holm 1979).

    Parameters
    ----------
    chances
        (T,) of each test; NaN where there was none.

    Returns
    -------
    (T,) float64
        What is below a level survives at that level; NaN where there was no test.
    """
    given = np.asarray(chances, np.float64)
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    corrected = np.full(len(given), np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1.0)
    return corrected
