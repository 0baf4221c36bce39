import numpy as np

from pipeline.figures.drawing.canvas import Label, Pixels
from pipeline.figures.maps_over_time import draw, greys
from pipeline.formats.training_dynamics import ShownMaps


def test_black_is_zero_and_white_the_largest_of_the_line():
    grey, largest = greys(np.array([[[-1.0, 0.0], [2.0, 4.0]]], np.float32))
    assert (grey.tolist(), largest) == ([[[0, 0], [128, 255]]], 4)
    grey, largest = greys(np.full((1, 2, 2), -1, np.float32))
    assert (grey.max(), largest) == (0, 0)


def test_a_line_is_a_checkpoint_and_a_column_a_unit():
    maps = np.zeros((3, 2, 4, 4), np.float32)
    maps[1, 1, 0, 3] = 5
    canvas = draw(ShownMaps(np.array([0, 7]), maps), ["a", "b", "c"], "relu", np.zeros((8, 6, 1), np.uint8))
    picture, *tiles = [one for one in canvas.elements if isinstance(one, Pixels)]
    assert picture.pixels.shape == (8, 6, 3) and len(tiles) == 6
    assert [tile.pixels.max() for tile in tiles] == [0, 0, 0, 255, 0, 0]
    lit = tiles[3].pixels[..., 0]
    # 4 x 4 values, each a square of 16 pixels.
    assert lit[:16, 48:].min() == 255 and lit[16:].max() == 0 and lit[:, :48].max() == 0
    texts = [one.text for one in canvas.elements if isinstance(one, Label)]
    assert texts == ["relu", "0", "7", "a", "white: 0.00", "b", "white: 5.00", "c", "white: 0.00"]
    assert all(tile.x + 64 <= canvas.width and tile.y + 64 <= canvas.height for tile in tiles)


def test_large_maps_are_made_smaller():
    maps = np.ones((1, 1, 200, 100), np.float32)
    canvas = draw(ShownMaps(np.array([0]), maps), ["a"], "relu", np.zeros((300, 300, 3), np.uint8))
    picture, tile = [one for one in canvas.elements if isinstance(one, Pixels)]
    assert (picture.pixels.shape, tile.pixels.shape) == ((96, 96, 3), (96, 48, 3))
