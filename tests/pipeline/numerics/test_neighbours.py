"""Exact nearest neighbours."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pipeline.numerics import neighbours
from pipeline.numerics.neighbours import Search, distance_rows, nearest_neighbours


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


def search(points, queries, k, parts=1, ids=None):
    ids = np.arange(len(points)) * 3 if ids is None else ids
    found = Search(points[queries], ids[queries], k)
    for rows in np.array_split(np.arange(len(points)), parts):
        found.add(points[rows], ids[rows])
    return found


@pytest.mark.parametrize("parts", [1, 4, 60])
def test_search_among_parts_equals_a_sort_of_all_distances(points, monkeypatch, parts):
    monkeypatch.setattr(neighbours, "DISTANCES_AT_ONCE", 70)
    queries = np.array([5, 1, 59, 30])
    found = search(points, queries, 7, parts)
    distances = cdist(points[queries], points)
    distances[np.arange(4), queries] = np.inf
    order = np.argsort(distances, axis=1)[:, :7]
    np.testing.assert_array_equal(found.neighbour, 3 * order)
    np.testing.assert_allclose(np.sqrt(found.squared), np.take_along_axis(distances, order, 1), rtol=1e-6)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_of_equal_distances_the_smaller_id_is_nearer_whatever_the_parts(parts):
    # Corners of a cube far from the origin: all distances are 0, 1, the root of 2 or of 3, many times.
    corners = np.random.default_rng(0).integers(0, 2, (40, 3)) * 0.1 + 1000.3
    found = search(corners, np.arange(40), 9, parts)
    distances = np.round(cdist(corners, corners), 6)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(found.neighbour, 3 * np.argsort(distances, axis=1, kind="stable")[:, :9])


def test_fewer_points_than_neighbours_leave_places_empty():
    found = search(np.array([[0.0], [2.0], [5.0]]), np.array([1]), 4)
    assert found.neighbour.tolist() == [[0, 6, -1, -1]]
    assert found.squared.tolist() == [[4, 9, np.inf, np.inf]]
