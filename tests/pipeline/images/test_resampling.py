"""Resampling by area against sums over pixels done one by one."""

import numpy as np
import pytest

from pipeline.images.resampling import Window, fitting_scale, resample


def overlap(a, b, c, d):
    return max(0.0, min(b, d) - max(a, c))


def brute_force(rgb, window, region):
    """Mean over each cell, weighing every pixel by the area that it shares with cell and region."""
    height, width = rgb.shape[:2]
    cells = np.zeros((window.height, window.width, 3))
    inside = np.zeros((window.height, window.width), bool)
    x0, y0, x1, y1 = max(region[0], 0), max(region[1], 0), min(region[2], width), min(region[3], height)
    for row in range(window.height):
        for column in range(window.width):
            left, top = window.x0 + column / window.scale, window.y0 + row / window.scale
            right, bottom = left + 1 / window.scale, top + 1 / window.scale
            inside[row, column] = x0 <= (left + right) / 2 < x1 and y0 <= (top + bottom) / 2 < y1
            if inside[row, column]:
                ys = [overlap(max(top, y0), min(bottom, y1), y, y + 1) for y in range(height)]
                xs = [overlap(max(left, x0), min(right, x1), x, x + 1) for x in range(width)]
                weights = np.outer(ys, xs)
                cells[row, column] = (rgb * weights[..., None]).sum((0, 1)) / weights.sum()
    return cells, inside


@pytest.mark.parametrize("seed", range(8))
def test_every_cell_is_the_mean_of_the_pixels_under_it(seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (*rng.integers(1, 14, 2), 3)).astype(np.uint8)
    x0, y0, x1, y1 = *rng.uniform(-6, 6, 2), *rng.uniform(6, 16, 2)
    window = Window(x0, y0, rng.uniform(0.2, 3), *rng.integers(1, 12, 2))
    cells, inside = resample(rgb, window, (x0 + 1, y0, x1, y1))
    expected, expected_inside = brute_force(rgb, window, (x0 + 1, y0, x1, y1))
    np.testing.assert_array_equal(inside, expected_inside)
    assert np.abs(cells - expected).max() <= 0.5 + 1e-6
    assert not cells[~inside].any()


def test_one_to_one_gives_the_pixels_themselves():
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    cells, inside = resample(rgb, Window(2, 1, 1.0, 4, 3), (0, 0, 7, 5))
    np.testing.assert_array_equal(cells, rgb[1:4, 2:6])
    assert inside.all()


def test_enlarging_keeps_every_pixel_crisp():
    rgb = np.random.default_rng(0).integers(0, 256, (2, 3, 3)).astype(np.uint8)
    cells, _ = resample(rgb, Window(0, 0, 4.0, 12, 8), (0, 0, 3, 2))
    np.testing.assert_array_equal(cells, rgb.repeat(4, axis=0).repeat(4, axis=1))


def test_nothing_comes_from_outside_the_region():
    rgb = np.full((6, 6, 3), 255, np.uint8)
    rgb[2:4, 2:4] = 7
    cells, inside = resample(rgb, Window(0, 0, 2.5, 15, 15), (2, 2, 4, 4))
    assert set(np.unique(cells[inside])) == {7}


def test_a_region_beyond_the_image_gives_nothing():
    cells, inside = resample(np.full((4, 4, 3), 9, np.uint8), Window(10, 10, 1.0, 3, 3), (10, 10, 13, 13))
    assert not inside.any()
    assert not cells.any()


def test_one_colour_stays_exactly_itself():
    rgb = np.full((777, 333, 3), (1, 128, 254), np.uint8)
    cells, inside = resample(rgb, Window(0.3, -5.7, 0.123, 50, 100), (0, 0, 333, 777))
    assert (cells[inside] == (1, 128, 254)).all()


def test_fit_makes_the_longer_side_fill():
    assert fitting_scale(200, 100, 50) == 0.25
    assert fitting_scale(8, 8, 64) == 8
