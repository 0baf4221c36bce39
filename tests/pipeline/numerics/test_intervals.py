"""Intervals of shares."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.numerics.intervals import (
    largest_correlation_by_chance,
    largest_count_by_chance,
    wilson,
)


@pytest.mark.parametrize(
    ("right", "tried"), [(0, 10), (10, 10), (1, 3), (97, 100), (350, 360), (1, 1), (500, 999)]
)
def test_equals_scipys(right, tried):
    expected = binomtest(right, tried).proportion_ci(0.95, method="wilson")
    assert wilson(right, tried) == pytest.approx((expected.low, expected.high))


def test_no_trial_says_nothing():
    low, high = wilson(np.array([0, 3]), np.array([0, 4]))
    assert (low[0], high[0]) == (0, 1)
    assert 0 < low[1] < 0.75 < high[1] < 1


def test_largest_correlation_by_chance_is_that_of_random_numbers():
    rng = np.random.default_rng(0)
    one, others = rng.normal(size=(2000, 1, 40)), rng.normal(size=(2000, 30, 40))
    one, others = (values - values.mean(-1, keepdims=True) for values in (one, others))
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(others, axis=-1)
    largest = ((one * others).sum(-1) / lengths).max(1)
    assert largest_correlation_by_chance(30, 40) == pytest.approx(np.median(largest), abs=0.01)
    assert largest_correlation_by_chance(1, 9) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sizes", [[1000] * 10, [600, 300, 100], [100], [1] * 250, [3] * 50, [40, 40, 30]])
def test_largest_count_by_chance_is_that_of_random_draws(sizes):
    drawn = np.random.default_rng(0).multivariate_hypergeometric(sizes, 100, 5000).max(1)
    assert largest_count_by_chance(100, sizes) == pytest.approx(np.median(drawn), abs=1)
    assert len(sizes) != 250 or largest_count_by_chance(100, sizes) == 1
