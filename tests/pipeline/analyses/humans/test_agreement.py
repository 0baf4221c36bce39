"""Tables by hand, and SciPy where it has the test."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import cohen_kappa_score

from pipeline.analyses.humans.agreement import (
    cells,
    consistency_interval,
    error_consistency,
    mcnemar,
    mean_consistency,
    two_proportions,
)


def test_cells_count_who_is_right():
    first, second = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    assert cells(first, second).tolist() == [2, 1, 1, 1]


def test_kappa_of_one_table_by_hand():
    # 20 + 5 + 10 + 15 images: p1 = 25/50, p2 = 30/50, observed 35/50, expected 0.5.
    assert error_consistency(np.array([20, 5, 10, 15])) == pytest.approx(0.4, abs=1e-12)
    # p1 = 0.9, p2 = 0.8, observed 0.8 + 0.1 x ..., all in hundredths.
    p1, p2, observed = 0.9, 0.8, 0.76
    expected = p1 * p2 + (1 - p1) * (1 - p2)
    by_hand = (observed - expected) / (1 - expected)
    assert error_consistency(np.array([73, 17, 7, 3])) == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("table", [(10, 0, 0, 0), (0, 0, 0, 7), (6, 0, 0, 4)])
def test_kappa_is_one_where_both_are_always_right_or_wrong_together(table):
    assert error_consistency(np.array(table)) == 1


def test_kappa_is_cohen_s_of_being_right():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 300)) < [[0.7], [0.6]]
    own = error_consistency(cells(first, second))
    assert own == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_conditions_are_averaged_and_not_pooled():
    # Within each condition the two err independently; one is easy and the other hard.
    tables = np.array([[81, 9, 9, 1], [1, 9, 9, 81], [0, 0, 0, 0]])
    assert mean_consistency(tables) == pytest.approx(0.0, abs=1e-12)
    assert error_consistency(tables.sum(axis=0)) == pytest.approx(0.64, abs=1e-12)
    two = np.array([[20, 5, 10, 15], [6, 0, 0, 4]])
    assert mean_consistency(two) == pytest.approx(0.7, abs=1e-12)


def test_the_interval_holds_the_mean_and_narrows_with_images():
    few, many = np.array([[20, 5, 10, 15]]), np.array([[2000, 500, 1000, 1500]])
    ends = [consistency_interval(table, repeats=500, seed=1) for table in (few, many)]
    assert all(low < 0.4 < high for low, high in ends)
    assert ends[0][1] - ends[0][0] > 5 * (ends[1][1] - ends[1][0])
    assert ends[0] == consistency_interval(few, repeats=500, seed=1)


def test_mcnemar_is_the_exact_test_of_the_images_on_which_only_one_is_right():
    assert mcnemar(2, 10) == pytest.approx(2 * binom.cdf(2, 12, 0.5), abs=1e-12)
    assert mcnemar(5, 5) == 1
    assert mcnemar(0, 0) == 1


def test_karpathy_s_numbers_come_out():
    found = two_proportions(76, 102, 1500)
    assert (round(found.z, 2), round(found.p, 3)) == (2.01, 0.022)


def test_without_errors_two_proportions_do_not_differ():
    assert (two_proportions(0, 0, 10).z, two_proportions(0, 0, 10).p) == (0, 0.5)
