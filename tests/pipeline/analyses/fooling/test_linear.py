import numpy as np
import pytest

from pipeline.analyses.fooling.linear import Classifier, changed, fraction, pooling

RNG = np.random.default_rng(0)
CLASSIFIER = Classifier(RNG.standard_normal((4, 7)), RNG.standard_normal(4))
VALUES = RNG.standard_normal((200, 7)) * 2
TARGET = RNG.integers(0, 4, 200)


def test_fraction_is_where_the_target_comes_first():
    found = fraction(CLASSIFIER, VALUES, TARGET)
    tried = np.linspace(0, 20, 20_001)
    for value, target, least in zip(VALUES, TARGET, found, strict=True):
        moved = value + tried[:, None] * CLASSIFIER.weight[target]
        there = CLASSIFIER.predict(moved) == target
        if np.isnan(least):
            assert not there.any()
        elif least < 19:
            assert there.any() and abs(tried[there.argmax()] - least) <= 0.001


def test_a_class_with_shorter_weights_in_the_same_direction_is_never_reached():
    classifier = Classifier(np.array([[1.0, 0], [2, 0]]), np.array([0.0, 0.5]))
    assert np.isnan(fraction(classifier, np.array([[1.0, 0]]), np.array([0]))).all()
    assert fraction(classifier, np.array([[-3.0, 0]]), np.array([0])).tolist() == [0]


def test_a_step_changes_the_class_where_prediction_says_so():
    direction = RNG.standard_normal((200, 7))
    lengths = np.array([0, 0.5, 2])
    found = changed(CLASSIFIER, VALUES, direction, lengths)
    assert found.shape == (3, 200) and not found[0].any() and found[2].any()
    for row in range(200):
        step = np.linalg.norm(VALUES[row]) * direction[row] / np.linalg.norm(direction[row])
        moved = VALUES[row] + lengths[:, None] * step
        assert (CLASSIFIER.predict(moved) != CLASSIFIER.predict(VALUES[row : row + 1])).tolist() == found[
            :, row
        ].tolist()


@pytest.mark.parametrize(("length", "cells"), [(8, 4), (7, 3), (5, 5), (224, 16)])
def test_pooling_averages_every_pixel_once(length, cells):
    matrix = pooling(length, cells)
    assert matrix.shape == (cells, length)
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert ((matrix > 0).sum(0) == 1).all()
    sizes = (matrix > 0).sum(1)
    assert sizes.max() - sizes.min() <= 1
