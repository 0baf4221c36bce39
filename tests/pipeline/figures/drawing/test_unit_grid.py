import numpy as np
import pytest

from pipeline.figures.drawing.unit_grid import GAP, HEIGHT, WIDTH, Grid, draw_grid, fit, grid_of

PICTURE = np.full((6, 6, 3), (200, 100, 50), np.uint8)


@pytest.mark.parametrize(
    ("count", "size"),
    [
        (1, (8, 8)), (3, (32, 32)), (24, (32, 32)), (32, (112, 112)), (64, (112, 112)), (64, (224, 224)),
        (256, (13, 13)), (1280, (7, 7)), (2048, (7, 7)), (1000, (13, 13)), (5, (1, 64)), (7, (512, 384)),
    ],
)  # fmt: skip
def test_every_map_has_a_place_of_its_own_beside_or_below_the_picture(count, size):
    grid = grid_of(count, size)
    places = list(grid.places())
    assert len(set(places)) == len(places) >= count
    assert all(
        y >= grid.corner * (grid.height + GAP) or x >= grid.corner * (grid.width + GAP) for y, x in places
    )
    height, width = grid.size
    assert max(y for y, _ in places) + grid.height + GAP // 2 <= height
    assert max(x for _, x in places) + grid.width + GAP // 2 <= width
    assert width <= WIDTH or grid.columns == grid.corner + 1
    assert height <= HEIGHT or max(grid.height, grid.width) <= 2 * 12


def test_small_maps_are_enlarged_by_whole_factors_and_large_ones_are_means():
    small = grid_of(48, (8, 8))
    assert (small.height, small.width, small.shrunk) == (64, 64, 1)
    large = grid_of(64, (224, 224))
    assert large.shrunk > 1 and large.height == -(-224 // large.shrunk)


def test_black_is_zero_white_the_largest_blue_below_zero_and_nothing_wraps():
    grid = Grid(5, 2, 2, 4, 1)
    values = np.array([0, 1, 0.5, -1, 7], np.float32)
    (pixels,) = draw_grid(grid, np.broadcast_to(values[:, None, None], (5, 2, 2)), 1.0, PICTURE)[:1]
    seen = {place: tuple(pixels.pixels[y, x]) for place, (y, x) in enumerate(list(grid.places())[:3])}
    assert seen == {0: (0, 0, 0), 1: (255, 255, 255), 2: (128, 128, 128)}
    last = draw_grid(grid, np.broadcast_to(values[:, None, None], (5, 2, 2)), 1.0, PICTURE)[1]
    assert tuple(last.pixels[1, 1]) == (40, 120, 255) and tuple(last.pixels[1, 5]) == (255, 255, 255)


def test_a_position_lies_where_it_lies_in_the_map():
    grid = grid_of(3, (4, 6))
    maps = np.zeros((3, 4, 6), np.float32)
    maps[1, 2, 5] = 1
    (pixels, *_) = draw_grid(grid, maps, 1.0, PICTURE)
    y, x = list(grid.places())[1]
    tile = pixels.pixels[y : y + grid.height, x : x + grid.width, 0]
    factor = grid.height // 4
    assert (tile[2 * factor : 3 * factor, 5 * factor :] == 255).all() and tile.sum() == 255 * factor**2


def test_the_picture_keeps_its_sides_and_a_grey_one_has_three_channels():
    assert fit(np.zeros((5, 10, 1), np.uint8), (96, 96)).shape == (45, 90, 3)
    assert fit(np.zeros((400, 200, 3), np.uint8), (100, 100)).shape == (100, 50, 3)
