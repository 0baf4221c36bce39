import numpy as np
import pytest
from scipy.stats import bootstrap

from pipeline.numerics.bootstrap import bootstrap_crossed, bootstrap_groups, bootstrap_means

VALUES = np.random.default_rng(0).standard_normal(60)


def test_bootstrap_of_means_equals_scipy_s():
    values = np.random.default_rng(0).gamma(2, size=(60, 1))
    low, high = bootstrap_means(values, repeats=20_000, seed=1)
    expected = bootstrap(
        (values[:, 0],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    np.testing.assert_allclose((low[0], high[0]), expected, rtol=0.01)


def test_bootstrap_draws_what_was_measured_on_one_thing_together():
    one = np.random.default_rng(0).normal(size=50)
    low, high = bootstrap_means(np.stack((one, one + 2, one - (one + 2)), 1), repeats=200, seed=0)
    np.testing.assert_allclose(high[1] - high[0], 2)
    np.testing.assert_allclose((low[2], high[2]), -2)


def test_groups_of_one_are_scipy_s_percentile_bootstrap():
    low, high = bootstrap_groups(list(VALUES[:, None]), np.mean, repeats=5000, seed=0)
    oracle = bootstrap((VALUES,), np.mean, n_resamples=5000, method="percentile", rng=1).confidence_interval
    assert (low, high) == pytest.approx(tuple(oracle), abs=0.02)


def test_groups_are_drawn_whole():
    """Ten copies of a value say no more than one."""
    once = bootstrap_groups(list(VALUES[:, None]), np.mean, repeats=500, seed=3)
    often = bootstrap_groups(list(VALUES[:, None].repeat(10, 1)), np.mean, repeats=500, seed=3)
    assert once == pytest.approx(often)


def test_fewer_than_two_groups_have_no_interval():
    for groups in ([VALUES], [VALUES, VALUES[:0]], []):
        assert np.isnan(bootstrap_groups(groups, np.mean, repeats=100, seed=0)).all()


def test_draws_that_hold_nothing_are_left_out():
    low, high = bootstrap_groups([np.ones(2), np.ones(1), *[np.empty(0)] * 5], np.mean, repeats=200, seed=0)
    assert (low, high) == (1, 1)


def test_columns_are_drawn_whole_beside_groups():
    """Things that all say 0 in one column and 1 in the other: all that varies is which column was drawn."""
    columns = np.tile([0.0, 1.0], (1, 1))
    assert bootstrap_crossed([columns] * 8, np.mean, repeats=400, seed=0) == (0, 1)
    assert bootstrap_groups([columns] * 8, np.mean, repeats=400, seed=0) == (0.5, 0.5)


def test_equal_columns_add_nothing_to_what_groups_vary():
    rows = [np.full((1, 3), value) for value in VALUES]
    crossed = bootstrap_crossed(rows, np.mean, repeats=5000, seed=0)
    assert crossed == pytest.approx(bootstrap_groups(rows, np.mean, repeats=5000, seed=7), abs=0.02)
