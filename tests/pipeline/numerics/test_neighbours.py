"""Exact nearest neighbours."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pipeline.numerics import neighbours
from pipeline.numerics.neighbours import distance_rows, nearest_neighbours


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(60, 5)) + 1000


def test_equal_a_sort_of_all_distances(points, monkeypatch):
    monkeypatch.setattr(neighbours, "DISTANCES_AT_ONCE", 500)
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    queries = np.arange(3, 50)
    np.testing.assert_array_equal(
        nearest_neighbours(points, queries, 7), np.argsort(distances, axis=1)[queries, :7]
    )


def test_a_point_is_not_its_own_neighbour_even_among_duplicates():
    found = nearest_neighbours(np.zeros((6, 2)), np.arange(6), 5)
    assert all(set(row) == set(range(6)) - {index} for index, row in enumerate(found.tolist()))


def test_distances_in_blocks_cover_the_queries(points, monkeypatch):
    monkeypatch.setattr(neighbours, "DISTANCES_AT_ONCE", 130)
    queries = np.array([5, 1, 59])
    blocks = list(distance_rows(points, queries))
    assert [rows for rows, _ in blocks] == [slice(0, 2), slice(2, 3)]
    expected = cdist(points[queries], points, "sqeuclidean")
    expected[np.arange(3), queries] = np.inf
    np.testing.assert_allclose(np.concatenate([part for _, part in blocks]), expected, atol=1e-8)
