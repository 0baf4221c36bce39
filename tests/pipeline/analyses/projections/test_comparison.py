import numpy as np
import pytest

from pipeline.analyses.projections.comparison import compare


def compared(alike, across):
    return compare(np.float32(alike), np.float32(across), np.random.default_rng(0))


def test_each_unit_counts_once_whatever_its_places():
    nan = np.nan
    found = compared([[0.1, 0.3], [0.8, nan], [0.2, 0.4]], [[0.5, nan], [nan, nan], [0.7, nan]])
    assert found[:, 0] == pytest.approx([(0.2 + 0.8 + 0.3) / 3, 0.6, ((0.2 - 0.5) + (0.3 - 0.7)) / 2])
    assert np.isfinite(found[0]).all()
    # Of two units nothing is said of how sure the mean is.
    assert np.isnan(found[1:, 1:]).all()


def test_interval_holds_the_mean_of_many_such_units_as_often_as_it_says():
    random, held = np.random.default_rng(1), 0
    for _ in range(200):
        values = random.normal(0.4, 0.1, (30, 1))
        _, low, high = compared(values, values - 0.2)[0]
        held += low < 0.4 < high
    assert 0.88 < held / 200 < 0.99


def test_difference_is_of_pairs():
    random = np.random.default_rng(2)
    base = random.normal(0, 1, (40, 1))
    found = compared(base + 0.1, base)
    # Units differ by ten times as much as the two likenesses do: pairs tell them apart, groups could not.
    assert found[2] == pytest.approx([0.1, 0.1, 0.1], abs=1e-6)
    assert found[0, 1] < found[1, 2]


def test_without_any_number_there_is_none():
    assert np.isnan(compared([[np.nan]], [[np.nan]])).all()
    assert np.isnan(compared(np.empty((0, 2)), np.empty((0, 2)))).all()
