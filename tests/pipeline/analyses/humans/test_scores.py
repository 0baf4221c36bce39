import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.analyses.humans.scores import score


def test_answers_on_units_of_their_own_have_wilsons_interval():
    right = np.array([1.0] * 14 + [0.0] * 6)
    found = score(right, np.arange(20))
    # With one answer a unit the variance between units is n / (n - 1) times the binomial one.
    assert found.effective == pytest.approx(19)
    ends = [binomtest(14, 20).proportion_ci(method="wilson"), binomtest(7, 10).proportion_ci(method="wilson")]
    assert ends[1].low < found.low < ends[0].low and ends[0].high < found.high < ends[1].high


def test_answers_that_agree_within_units_count_as_units():
    units = np.repeat(np.arange(10), 8)
    right = np.repeat(np.array([1.0] * 7 + [0.0] * 3), 8)
    found = score(right, units)
    assert found.share == 0.7 and found.effective == pytest.approx(9)


def test_answers_that_differ_within_units_count_each():
    found = score(np.tile([1.0, 1.0, 0.0, 1.0], 6), np.repeat(np.arange(6), 4))
    assert found.effective == 24
    low, high = binomtest(18, 24).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_where_all_agree_each_unit_counts_once(value):
    found = score(np.full(30, value), np.repeat(np.arange(5), 6))
    low, high = binomtest(int(5 * value), 5).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12) and found.effective == 5


def test_one_unit_is_one_answer():
    assert score(np.array([1.0, 0.0, 1.0]), np.zeros(3, np.int64)).effective == 1


def test_the_interval_covers_the_truth_when_units_differ():
    """Units of hard and of easy kinds: 95 % intervals hold the mean in about 95 % of samples, not fewer."""
    chance, held = np.random.default_rng(0), 0
    for _ in range(400):
        unit = np.repeat(np.arange(12), 5)
        easy = chance.choice([0.45, 0.95], 12)
        found = score((chance.random(60) < easy[unit]).astype(float), unit)
        held += found.low <= 0.7 <= found.high
    assert held / 400 >= 0.92
