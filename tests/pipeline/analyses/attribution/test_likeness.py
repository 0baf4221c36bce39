import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.analyses.attribution.likeness import pixels_inside, rank_correlation

RANDOM = np.random.default_rng(0)


def test_rank_correlation_is_that_of_scipy_with_ties_too():
    one, other = RANDOM.normal(size=(2, 9, 7)).astype(np.float32)
    ties = np.round(one + other)
    for first, second in ((one, other), (one, ties), (ties, other)):
        expected = spearmanr(first.ravel(), second.ravel()).statistic
        assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(one, -one) == pytest.approx(-1)


def test_nothing_goes_with_a_map_that_is_the_same_everywhere():
    flat, other = np.zeros((3, 3)), RANDOM.normal(size=(3, 3))
    assert rank_correlation(flat, other) == rank_correlation(other, flat) == 0
    assert np.isnan(rank_correlation(flat, flat))
    assert np.isnan(rank_correlation(other, np.where(other > 0, np.inf, other)))


def test_a_pixel_is_in_a_box_where_its_middle_is():
    found = pixels_inside((4, 5), np.array([[1, 2, 3, 4], [0, 0, 1.4, 1.6], [0, 0, 1, 1.0]]))
    expected = np.zeros((4, 5))
    expected[2:4, 1:3] = expected[:2, :1] = 1
    np.testing.assert_array_equal(found, expected)
    # Ends are exclusive, the beginnings are not.
    assert pixels_inside((4, 5), np.array([[0.5, 0.5, 1.5, 1.5]])).sum() == 1
    assert not pixels_inside((4, 5), np.zeros((0, 4))).any()
