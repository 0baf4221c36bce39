"""Many thumbnails on one sheet."""

import numpy as np
import pytest

from pipeline.figures.drawing.mosaic import free_places, lay_out, scale


def test_whole_factors_repeat_pixels():
    thumbnail = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    tile = scale(thumbnail, (4, 4), 8)
    np.testing.assert_array_equal(tile[..., :3], thumbnail.repeat(2, 0).repeat(2, 1))
    assert (tile[..., 3] == 255).all()


@pytest.mark.parametrize(("content", "expected"), [((8, 4), (8, 4)), ((2, 8), (2, 8)), ((1, 1), (1, 1))])
def test_beside_the_image_it_is_transparent(content, expected):
    thumbnail = np.zeros((8, 8, 3), np.uint8)
    left, top = (8 - content[0]) // 2, (8 - content[1]) // 2
    thumbnail[top : top + content[1], left : left + content[0]] = 200
    tile = scale(thumbnail, content, 8)
    seen = tile[..., 3] == 255
    assert (seen.any(axis=0).sum(), seen.any(axis=1).sum()) == expected
    assert (tile[seen][:, :3] == 200).all()


def test_margin_stays_free():
    tile = scale(np.full((16, 16, 3), 9, np.uint8), (16, 16), 10, margin=2)
    assert (tile[..., 3] > 0).sum() == 64
    assert not tile[[0, -1], :, 3].any()


def test_tiles_lie_where_they_are_put_and_show_what_is_below():
    tiles = np.zeros((2, 2, 2, 4), np.uint8)
    tiles[0], tiles[1, 0, 0] = 50, 90
    sheet = lay_out(tiles, np.array([[1, 0], [1, 0]]), 4, 3)
    expected = np.zeros((3, 4), np.uint8)
    expected[:2, 1:3], expected[0, 1] = 50, 90
    np.testing.assert_array_equal(sheet[..., 0], expected)


def test_points_apart_keep_their_cells():
    unit = np.array([[0.05, 0.05], [0.55, 0.95], [1, 1]])
    chosen, cell = free_places(unit, 10)
    assert chosen.tolist() == [0, 1, 2]
    assert cell.tolist() == [[0, 0], [5, 9], [9, 9]]


def test_points_together_take_the_nearest_free_cells_until_none_is_within_reach():
    chosen, cell = free_places(np.full((30, 2), 0.55), 10)
    assert len(chosen) == 13
    assert cell[0].tolist() == [5, 5]
    distance = ((cell - 5) ** 2).sum(axis=1)
    assert len({tuple(one) for one in cell.tolist()}) == 13
    assert (np.diff(distance) >= 0).all()
    assert distance.max() == 4


def test_a_point_in_its_own_cell_is_not_driven_out():
    unit = np.array([[0.55, 0.55], [0.55, 0.55], [0.55, 0.45]])
    chosen, cell = free_places(unit, 10, reach=1)
    assert chosen.tolist() == [0, 1, 2]
    assert cell[2].tolist() == [5, 4]


def test_square_shows_the_middle_of_the_image():
    thumbnail = np.zeros((8, 8, 3), np.uint8)
    thumbnail[2:6] = np.arange(8)[None, :, None]
    tile = scale(thumbnail, (8, 4), 4, square=True)
    assert tile[0, :, 0].tolist() == [2, 3, 4, 5]
    assert (tile[..., 3] == 255).all()
