import numpy as np
import pytest
from scipy.spatial import procrustes

from pipeline.comparison.alignment import align, neighbours_kept

POINTS = np.random.default_rng(0).normal(size=(60, 2)) * (3, 1)


def turned(points):
    """Points that were mirrored, turned, scaled and moved."""
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return 4 * (points * (-1, 1)) @ turn + (10, -3)


def test_a_turned_and_mirrored_map_comes_to_lie_upon_the_other():
    found = align(POINTS, turned(POINTS))
    assert found.left == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.second, found.first, atol=1e-9)
    kept = neighbours_kept(POINTS, turned(POINTS), seed=0)
    assert (kept.share, kept.low, kept.high) == (1, 1, 1)


def test_what_is_left_is_as_scipy_has_it():
    other = turned(POINTS) + np.random.default_rng(1).normal(size=POINTS.shape)
    found = align(POINTS, other)
    assert found.left == pytest.approx(procrustes(POINTS, other)[2])
    assert ((found.first - found.second) ** 2).sum() / len(POINTS) == pytest.approx(found.left)


def test_unrelated_maps_keep_as_many_neighbours_as_chance():
    other = np.random.default_rng(2).normal(size=(400, 2))
    points = np.random.default_rng(3).normal(size=(400, 2))
    kept = neighbours_kept(points, other, seed=0)
    assert kept.by_chance == 10 / 399
    assert kept.share == pytest.approx(kept.by_chance, abs=0.01)
    assert align(points, other).left > 0.95


def test_maps_too_small_or_of_one_place_are_not_compared():
    assert neighbours_kept(POINTS[:2], POINTS[:2], seed=0) is None
    assert neighbours_kept(POINTS[:3], POINTS[:3], seed=0).neighbours == 1
    assert align(POINTS, np.ones_like(POINTS)) is None
