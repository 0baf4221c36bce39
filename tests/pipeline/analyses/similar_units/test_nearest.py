"""The best of many scores against sorting all of them."""

import numpy as np

from pipeline.analyses.similar_units.nearest import Nearest


def test_best_are_those_of_a_stable_sort():
    rng = np.random.default_rng(0)
    scores = rng.integers(-3, 4, (5, 40)).astype(np.float32) / 3
    scores[1, 7:] = -np.inf
    nearest = Nearest(9, 8)
    for columns in (slice(20, 40), slice(0, 3), slice(3, 20)):
        nearest.add(slice(2, 7), np.arange(40)[columns], scores[:, columns])
    column, score = nearest.best()
    order = np.argsort(-scores, axis=1, kind="stable")[:, :8]
    np.testing.assert_array_equal(column[2:7][[0, 2, 3, 4]], order[[0, 2, 3, 4]])
    np.testing.assert_array_equal(score[2], scores[0, order[0]])
    assert column[3].tolist()[-1] == -1 and np.isnan(score[3, -1])
    assert (column[[0, 8]] == -1).all()


def test_scores_come_back_to_the_bit():
    scores = np.array([[-1, -1e-38, -0.0, 0.1, 1]], np.float32)
    nearest = Nearest(1, 5)
    nearest.add(slice(0, 1), np.arange(5), scores)
    assert nearest.best()[1].tolist() == scores[:, ::-1].tolist()
