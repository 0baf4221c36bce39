"""What a map keeps, against brute force and scikit-learn."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness as reference_trustworthiness

from pipeline.analyses.embedding.map_quality import (
    class_means_kept,
    class_neighbours,
    distance_correlation,
    neighbours_kept,
    sample,
    trustworthiness,
)


@pytest.fixture
def space():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(80, 6))
    return points, points[:, :2] + rng.normal(size=(80, 2)) * 0.3, rng.integers(0, 7, 80)


def brute_force_kept(points, xy, k):
    sets = []
    for values in (points, xy):
        distances = cdist(values, values)
        np.fill_diagonal(distances, np.inf)
        sets.append([set(row[:k]) for row in np.argsort(distances, axis=1).tolist()])
    return np.mean([len(a & b) / k for a, b in zip(*sets, strict=True)])


def test_neighbours_kept_equals_brute_force(space):
    points, xy, _ = space
    assert neighbours_kept(points, xy, np.arange(80)) == pytest.approx(brute_force_kept(points, xy, 10))


def test_neighbours_kept_of_a_sample_is_the_mean_of_its_points(space):
    points, xy, _ = space
    one_by_one = [neighbours_kept(points, xy, np.array([row])) for row in range(80)]
    assert neighbours_kept(points, xy, np.array([2, 70])) == pytest.approx(
        (one_by_one[2] + one_by_one[70]) / 2
    )


def test_class_means_kept_equals_brute_force(space):
    points, xy, label = space
    label = np.where(np.arange(80) % 9 == 0, -1, label)
    means = [np.array([values[label == one].mean(axis=0) for one in range(7)]) for values in (points, xy)]
    assert class_means_kept(points, xy, label) == pytest.approx(brute_force_kept(*means, 3))


@pytest.mark.parametrize(("classes", "expected"), [(0, 0), (2, 0), (3, 1), (10, 4), (1000, 10)])
def test_number_of_class_neighbours(classes, expected):
    assert class_neighbours(classes) == expected


def test_class_means_are_not_compared_with_two_classes(space):
    points, xy, label = space
    assert class_means_kept(points, xy, label % 2) is None


def test_distance_correlation_equals_the_definition(space):
    points, xy, _ = space
    rows, columns = np.triu_indices(80, 1)
    expected = spearmanr(cdist(points, points)[rows, columns], cdist(xy, xy)[rows, columns]).statistic
    assert distance_correlation(points, xy, seed=0) == pytest.approx(expected)


def test_distance_correlation_is_undefined_where_all_distances_are_equal(space):
    assert distance_correlation(space[0], np.zeros((80, 2)), seed=0) is None


def test_trustworthiness_equals_scikit_learns(space):
    points, xy, _ = space
    expected = reference_trustworthiness(points, xy, n_neighbors=10)
    assert trustworthiness(points, xy, np.arange(80)) == pytest.approx(expected)


def test_trustworthiness_needs_twice_as_many_points_as_neighbours(space):
    points, xy, _ = space
    assert trustworthiness(points[:20], xy[:20], np.arange(20), k=10) is None
    assert trustworthiness(points[:21], xy[:21], np.arange(21), k=10) is not None


def test_a_perfect_map_keeps_everything(space):
    points = space[1]
    assert neighbours_kept(points, points * 3, np.arange(80)) == 1
    assert trustworthiness(points, points * 3, np.arange(80)) == 1
    assert distance_correlation(points, points * 3, seed=1) == pytest.approx(1)


def test_sample_is_seeded_ascending_and_without_repeats():
    chosen = sample(1000, 50, seed=4)
    assert len(set(chosen.tolist())) == 50
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, sample(1000, 50, seed=4))
    np.testing.assert_array_equal(sample(7, 50, seed=4), np.arange(7))
