import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.analyses.projections.cuts import Cut, cut, fitted, likeness

SIGNAL = np.arange(2 * 6 * 8, dtype=np.float32).reshape(2, 6, 8) + 1
WHOLE = (0.0, 0.0, 8.0, 6.0)


def test_box_within_the_image_is_cut_to_the_pixel():
    found = cut(SIGNAL, (1, 2, 4, 5), WHOLE)
    assert np.array_equal(found.values, SIGNAL[:, 2:5, 1:4].transpose(1, 2, 0))
    assert found.inside.all()


def test_what_lies_beside_the_image_is_zero_and_not_inside():
    found = cut(SIGNAL, (-2, 4, 3, 9), WHOLE)
    assert found.values.shape == (5, 5, 2)
    inside = np.zeros((5, 5), bool)
    inside[:2, 2:] = True
    assert np.array_equal(found.inside, inside)
    assert np.array_equal(found.values[:2, 2:], SIGNAL[:, 4:, :3].transpose(1, 2, 0))
    assert not found.values[~inside].any()


def test_box_longer_than_the_image_is_that_of_the_image():
    # A crop larger than the image: beside it, in the input, there is nothing.
    found = cut(SIGNAL, (-9, 2, 12, 4), (1.0, 1.0, 7.0, 5.0))
    assert np.array_equal(found.values, SIGNAL[:, 2:4, 1:7].transpose(1, 2, 0))
    assert found.offset == (0, 10)


def test_box_beside_the_image_has_nothing_inside():
    found = cut(SIGNAL, (9, 7, 12, 9), WHOLE)
    assert found.values.shape == (2, 3, 2) and not found.inside.any()


def test_long_cuts_are_brought_down_by_means():
    values = np.random.default_rng(0).normal(size=(8, 4, 3)).astype(np.float32)
    small = fitted(values, 4)
    assert small == pytest.approx(values.reshape(4, 2, 2, 2, 3).mean((1, 3)), abs=1e-6)
    assert fitted(values, 8) is values


def some(seed, shape=(5, 4, 3)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_likeness_is_the_rank_correlation_of_magnitudes_within_both_images():
    first, second = some(0), some(1)
    second[0] = first[0] = 0
    inside = np.ones((5, 4), bool)
    inside[2, 1] = False
    expected = spearmanr(np.abs(first[inside]).sum(-1), np.abs(second[inside]).sum(-1)).statistic
    found = likeness(Cut(first, inside), Cut(second, np.ones((5, 4), bool)))
    assert found == pytest.approx(expected)
    assert likeness(Cut(first, inside), Cut(-3 * first, inside)) == pytest.approx(1)


def test_neurons_are_compared_by_what_they_see_about_themselves():
    # The same signal about two neurons, of which one lies two pixels lower and one to the right of the other.
    about = np.random.default_rng(0).normal(size=(1, 40, 40)).astype(np.float32)
    first, second = (
        cut(about[:, 20 - y : 32 - y, 20 - x : 32 - x], (x - 20, y - 20, x + 20, y + 20), (0, 0, 12, 12))
        for y, x in ((5, 6), (7, 7))
    )
    assert first.values.shape == second.values.shape and not np.array_equal(first.values, second.values)
    assert likeness(first, second) == pytest.approx(1)
    unaligned = likeness(Cut(first.values, first.inside), Cut(second.values, second.inside))
    assert abs(unaligned) < 0.3


def test_what_cannot_be_compared_has_no_likeness():
    inside = np.ones((5, 4), bool)
    one = Cut(some(0), inside)
    assert np.isnan(likeness(one, Cut(np.zeros((5, 4, 3), np.float32), inside)))
    assert np.isnan(likeness(one, Cut(some(1), inside, (0, 3))))
    assert np.isnan(likeness(one, Cut(some(1), inside, (9, 9))))
    assert np.isnan(likeness(one, Cut(some(1), np.arange(20).reshape(5, 4) < 8)))
