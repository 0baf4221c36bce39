"""Intervals of shares."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.numerics.intervals import wilson


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
