import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.analyses.attribution.likeness import is_inside, rank_correlation, share_inside

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


def test_a_point_is_in_a_box_up_to_its_ends():
    boxes = np.array([[1, 2, 3, 4], [6, 6, 8, 8.0]])
    assert is_inside(2, 1, boxes) and is_inside(7.9, 6, boxes)
    assert not is_inside(4, 1, boxes) and not is_inside(2, 3, boxes)
    assert not is_inside(1, 1, np.zeros((0, 4)))


def test_share_of_pixels_counts_what_boxes_share_once():
    assert share_inside((4, 5), np.array([[0, 0, 2, 2], [1, 1, 3, 3.0]])) == 7 / 20
    # A pixel is in where its middle is.
    assert share_inside((4, 5), np.array([[0, 0, 1.4, 1.6]])) == 2 / 20
