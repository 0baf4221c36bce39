import numpy as np

from pipeline.analyses.fooling.attacks import NEVER
from pipeline.analyses.fooling.breaking import (
    LENGTHS,
    PixelClassifier,
    alike,
    averaged,
    break_codes,
    cells,
    other_classes,
    predicted_at,
    push_far_enough,
)
from pipeline.analyses.fooling.linear import Classifier

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (9, 8, 6, 3)).astype(np.uint8)
DOWN, ACROSS = cells(8, 6, 4)
WEIGHT = RNG.standard_normal((3, 4 * 4 * 3))
PIXELS = PixelClassifier(Classifier(WEIGHT, -0.5 * WEIGHT.sum(1)), DOWN, ACROSS)
TARGET = other_classes(PIXELS.predict(PICTURES), 3, 0)


def test_cells_are_means_of_pixels():
    found = averaged(PICTURES, DOWN, ACROSS).reshape(9, 4, 4, 3)
    columns = [slice(start, end) for start, end in zip([0, 2, 3, 4], [2, 3, 4, 6], strict=True)]
    for row in range(4):
        for column, across in enumerate(columns):
            expected = PICTURES[:, 2 * row : 2 * row + 2, across].mean((1, 2)) / 255
            np.testing.assert_allclose(found[:, row, column], expected)


def test_pushing_moves_no_pixel_beyond_its_level_and_each_the_way_of_its_weight():
    for level in (0, 5, 60):
        moved = PIXELS.push(PICTURES, TARGET, level).astype(int) - PICTURES
        assert np.abs(moved).max() <= level
    weight = WEIGHT[TARGET].reshape(9, 4, 4, 3).repeat(2, 1)
    assert (moved[:, :, 0] * weight[:, :, 0] >= 0).all()
    scores = averaged(PICTURES, DOWN, ACROSS) @ WEIGHT.T
    after = averaged(PIXELS.push(PICTURES, TARGET, 60), DOWN, ACROSS) @ WEIGHT.T
    rows = np.arange(9)
    assert (after[rows, TARGET] > scores[rows, TARGET]).all()


def test_what_is_pushed_far_enough_is_its_target():
    levels = (0, 1, 2, 4, 8, 16, 32)
    predicted = predicted_at(PIXELS, PICTURES, TARGET, levels)
    np.testing.assert_array_equal(predicted[:, 0], PIXELS.predict(PICTURES))
    pushed, level = push_far_enough(PIXELS, PICTURES, TARGET, levels)
    assert (level != NEVER).sum() > 3
    for row in range(9):
        reached = PIXELS.predict(pushed[row : row + 1])[0] == TARGET[row]
        assert reached == (level[row] != NEVER)
        most = levels[-1] if level[row] == NEVER else level[row]
        assert np.abs(pushed[row].astype(int) - PICTURES[row]).max() <= most
        if level[row] != NEVER:
            before = [one for one in levels if one < level[row]]
            assert (predicted[row, : len(before)] != TARGET[row]).all()


def test_codes_become_their_target_s_just_after_their_fraction():
    classifier = Classifier(RNG.standard_normal((5, 20)), np.zeros(5))
    values = RNG.random((50, 20))
    found = break_codes(classifier, values, 0)
    assert (found.target != found.predicted).all()
    there = np.isfinite(found.fraction)
    assert there.mean() > 0.5
    for share, said in ((0.999, False), (1.001, True)):
        moved = values + (share * found.fraction)[:, None] * classifier.weight[found.target]
        assert ((classifier.predict(moved[there]) == found.target[there]) == said).all()
    length = np.linalg.norm(found.fraction[:, None] * classifier.weight[found.target], axis=1)
    np.testing.assert_allclose(found.share[there], (length / np.linalg.norm(values, axis=1))[there])
    assert found.along.shape == found.random.shape == (len(LENGTHS), 50)
    assert not found.along[0].any()


def test_another_class_is_drawn_of_all_others():
    predicted = np.repeat(np.arange(4), 300)
    found = other_classes(predicted, 4, 0)
    assert (found != predicted).all()
    for one in range(4):
        assert set(found[predicted == one].tolist()) == {*range(4)} - {one}


def test_of_every_class_about_as_many_are_drawn():
    label = np.array([0] * 50 + [1] * 5 + [2] * 30)
    found = alike(np.arange(85) + 7, label, 25, 0)
    assert np.bincount(label[found - 7]).tolist() == [10, 5, 10]
    assert (np.diff(found) > 0).all()
    assert len(alike(np.arange(85), label, 1000, 0)) == 85
