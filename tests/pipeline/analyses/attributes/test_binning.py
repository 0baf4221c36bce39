import numpy as np
import pytest

from pipeline.analyses.attributes.binning import OTHER, make_bins
from pipeline.analyses.attributes.columns import column_of

RNG = np.random.default_rng(0)
ONE_CLASS = np.zeros(100, int)


def bins_of(values, label=None, bins=5, least=5):
    column = column_of("x", "dataset", values)
    return make_bins(column, np.zeros(len(values), int) if label is None else label, bins, least)


def test_bins_are_of_equal_count():
    values = RNG.random(103)
    found = bins_of(values)
    assert sorted(found.count.tolist()) == [20, 20, 21, 21, 21]
    for one in range(5):
        inside = values[found.place == one]
        assert (found.low[one], found.high[one]) == (inside.min(), inside.max())
    assert (found.high[:-1] < found.low[1:]).all()


def test_equal_values_lie_in_one_bin_and_small_bins_join_their_neighbour():
    values = np.repeat([1.0, 2.0, 3.0], [70, 26, 4])
    found = bins_of(values)
    assert found.count.tolist() == [70, 30]
    assert found.low.tolist() == [1, 2] and found.high.tolist() == [1, 3]
    assert len(bins_of(np.ones(100))) == 1


def test_what_is_missing_lies_in_no_bin():
    values = np.where(np.arange(100) < 20, np.nan, np.arange(100))
    found = bins_of(values, bins=4)
    assert (found.place[:20] == -1).all() and found.count.tolist() == [20] * 4
    assert len(bins_of(np.full(100, np.nan))) == 0


def test_words_have_a_bin_each_and_rare_ones_share_one():
    words = ["a"] * 40 + ["b"] * 50 + ["c"] * 3 + ["d"] * 4 + [""] * 3
    found = bins_of(words)
    assert found.words == ("b", "a", OTHER) and found.count.tolist() == [50, 40, 7]
    assert (found.place[-3:] == -1).all()
    assert bins_of(words, least=8).words == ("b", "a")


def test_names_of_images_are_no_groups():
    assert len(bins_of([f"image {number}" for number in range(100)])) == 1


@pytest.mark.parametrize("words", [False, True])
def test_where_each_class_has_one_value_classes_are_put_into_bins(words):
    label = RNG.integers(0, 8, 100)
    size = np.arange(8) % 4
    values = [f"s{one}" for one in size[label]] if words else size[label].astype(float)
    found = bins_of(values, label, bins=2)
    assert found.by_class
    assert all(len(np.unique(found.place[label == one])) == 1 for one in range(8))
    changed = np.array(size[label], float)
    changed[0] += 0.5
    assert not bins_of(changed, label, bins=2).by_class


def test_two_classes_and_classes_of_one_image_are_no_cases():
    label = np.arange(100) % 2
    assert not bins_of(label.astype(float), label).by_class
    assert not bins_of(np.arange(100.0), np.arange(100)).by_class
