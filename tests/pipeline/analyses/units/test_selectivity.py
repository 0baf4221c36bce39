import numpy as np
import pytest

from pipeline.analyses.units.selectivity import ClassMeans


def selectivity(activity, label, classes, cuts=()):
    means = ClassMeans(np.asarray(classes, np.int32), np.shape(activity)[1])
    label = np.asarray(label, np.int32)
    for rows in np.split(np.arange(len(label)), cuts):
        means.add(np.asarray(activity, np.float32)[rows], label[rows])
    return means.selectivity()


def test_index_is_that_of_its_definition():
    """Unit 0 answers to class 5 alone, unit 1 to all alike, unit 2 to class 2 twice as much."""
    activity = [[0, 1, 4], [0, 1, 0], [3, 1, 1], [9, 9, 9], [1, 1, 1]]
    found = selectivity(activity, [2, 2, 5, -1, 5], [2, 5])
    np.testing.assert_allclose(found.value, [1, 0, 1 / 3], rtol=1e-6)
    assert found.label.tolist() == [5, 2, 2]


def test_index_of_three_classes_is_against_the_mean_of_the_others():
    found = selectivity([[3.0], [1.0], [0.0]], [0, 1, 2], [0, 1, 2])
    assert found.value.tolist() == pytest.approx([(3 - 0.5) / (3 + 0.5)])


def test_batches_change_nothing():
    rng = np.random.default_rng(0)
    activity, label = rng.random((50, 7), np.float32), rng.integers(-1, 4, 50)
    whole = selectivity(activity, label, range(4))
    parts = selectivity(activity, label, range(4), cuts=(1, 9, 9, 30))
    np.testing.assert_allclose(whole.value, parts.value, rtol=1e-6)
    assert whole.label.tolist() == parts.label.tolist()


@pytest.mark.parametrize("values", [[-1.0, 2.0], [0.0, 0.0]])
def test_what_the_index_has_no_meaning_for_has_none(values):
    found = selectivity([[value] for value in values], [0, 1], [0, 1])
    assert np.isnan(found.value[0]) and found.label.tolist() == [-1]


def test_one_class_alone_has_no_other():
    found = selectivity([[1.0]], [0], [0])
    assert np.isnan(found.value[0]) and found.label.tolist() == [-1]
