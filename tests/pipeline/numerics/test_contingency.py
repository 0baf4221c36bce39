"""Against SciPy: tables of one stratum and of several, and what shuffling gives."""

import numpy as np
import pytest
from scipy import stats

from pipeline.numerics.contingency import chance_of_shuffles, holm, mantel_haenszel

RNG = np.random.default_rng(0)
GROUP = RNG.integers(0, 4, 300)
FAILED = RNG.random(300) < 0.1 + 0.1 * GROUP
STRATUM = RNG.integers(0, 6, 300)


def test_one_stratum_is_pearsons():
    found = mantel_haenszel(GROUP, np.zeros(300, int), FAILED)
    table = np.array([[np.sum(FAILED[one == GROUP] == out) for one in range(4)] for out in (0, 1)])
    pearson = stats.chi2_contingency(table, correction=False)
    assert found.statistic == pytest.approx(pearson.statistic * 299 / 300, rel=1e-10)
    assert found.freedom == pearson.dof == 3
    assert found.chance == pytest.approx(stats.chi2.sf(found.statistic, 3), rel=1e-10)


def test_of_strata_the_hypergeometric_moments_are_added():
    surplus, spread = np.zeros(4), np.zeros((4, 4))
    for one in range(6):
        counted = np.bincount(GROUP[one == STRATUM], minlength=4)
        lost = np.bincount(GROUP[(one == STRATUM) & FAILED], minlength=4)
        drawn = stats.multivariate_hypergeom(counted, lost.sum())
        surplus += lost - drawn.mean()
        spread += drawn.cov()
    expected = surplus[:3] @ np.linalg.solve(spread[:3, :3], surplus[:3])
    found = mantel_haenszel(GROUP, STRATUM, FAILED)
    assert (found.statistic, found.freedom) == (pytest.approx(expected, rel=1e-9), 3)


def test_what_strata_explain_is_no_association():
    stratum = GROUP
    assert mantel_haenszel(GROUP, stratum, FAILED) == (0, 0)
    assert mantel_haenszel(GROUP, STRATUM, np.ones(300, bool)) == (0, 0)
    assert mantel_haenszel(GROUP, STRATUM, np.ones(300, bool)).chance == 1


def test_shuffles_are_those_of_images():
    counted, failed = np.array([12, 7, 9]), np.array([6, 1, 1])
    group = np.repeat(np.arange(3), counted)
    outcome = np.concatenate([np.arange(n) < f for n, f in zip(counted, failed, strict=True)])

    def unlike(given):
        lost = np.bincount(group, given, 3)
        return ((lost - counted * outcome.mean()) ** 2 / counted).sum()

    rng = np.random.default_rng(1)
    brute = np.mean([unlike(rng.permutation(outcome)) >= unlike(outcome) - 1e-9 for _ in range(20_000)])
    found = chance_of_shuffles(counted, failed, repeats=20_000, seed=0)
    assert found == pytest.approx(brute, abs=0.01) and 0.01 < found < 0.3
    assert found == chance_of_shuffles(counted, failed, repeats=20_000, seed=0)


def test_shuffles_agree_with_fishers_exact_test():
    found = chance_of_shuffles(np.array([10, 10]), np.array([8, 2]), repeats=50_000, seed=0)
    assert found == pytest.approx(stats.fisher_exact([[8, 2], [2, 8]]).pvalue, abs=0.004)


def test_holm_is_stepwise_and_keeps_what_was_not_tested():
    # By hand: 3 x 0.01, then 2 x 0.02 and 1 x 0.04, which may not fall.
    given = holm([0.04, 0.01, np.nan, 0.02])
    np.testing.assert_allclose(given, [0.04, 0.03, np.nan, 0.04])
    np.testing.assert_allclose(holm([0.6, 0.9]), [1, 1])
    assert len(holm([])) == 0
