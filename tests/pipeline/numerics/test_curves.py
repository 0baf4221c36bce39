"""Orders of points along a curve."""

import numpy as np

from pipeline.numerics.curves import z_order


def test_the_curve_visits_near_points_after_each_other():
    square = np.array([[x, y] for x in range(4) for y in range(4)])
    visited = square[z_order(square)].tolist()
    assert visited[:4] == [[0, 0], [1, 0], [0, 1], [1, 1]]
    assert visited[4:8] == [[2, 0], [3, 0], [2, 1], [3, 1]]
    assert sorted(visited) == square.tolist()
    rng = np.random.default_rng(0)
    points = rng.normal(size=(10_000, 2)) * (1e-4, 1e3)
    steps = np.abs(np.diff(points[z_order(points)], axis=0)) / np.ptp(points, axis=0)
    assert np.median(steps) < 0.01


def test_points_on_a_line_and_equal_points_have_an_order():
    assert z_order(np.array([[3.0, 5], [1, 5], [2, 5]])).tolist() == [1, 2, 0]
    assert z_order(np.zeros((4, 2))).tolist() == [0, 1, 2, 3]
