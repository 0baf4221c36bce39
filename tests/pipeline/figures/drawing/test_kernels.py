"""Weights as pictures."""

import numpy as np
import pytest

from pipeline.figures.drawing.kernels import crossed, matrix, shades, strip, tile, wrapped


def test_zero_is_grey_and_the_largest_weight_white():
    weight = np.array([[[-2.0, 0, 1, 2, 9]]])
    assert shades(weight, 2)[0, :, 0].tolist() == [1, 128, 192, 255, 255]
    assert shades(weight[..., 1:2], 0).tolist() == [[[128, 128, 128]]]


def test_three_channels_are_red_green_and_blue():
    weight = np.zeros((3, 1, 1))
    weight[1] = 1
    assert shades(weight, 1).tolist() == [[[128, 255, 128]]]


@pytest.mark.parametrize("kernel", [(3, 3), (1, 7), (7, 1), (11, 11), (64, 64)])
def test_a_tile_keeps_its_form(kernel):
    height, width = tile(np.zeros((1, *kernel)), 1, 56).shape[:2]
    assert height * kernel[1] == width * kernel[0]
    assert 40 <= max(height, width) <= 72


def test_labels_of_flat_kernels_do_not_overlap():
    flat = np.zeros((5, 35, 3), np.uint8)
    canvas = crossed([[flat]] * 3, ["filter 0", "filter 1", "filter 2"], ["0"], "conv", "3 of 3")
    rows = [element for element in canvas.elements if getattr(element, "text", "").startswith("filter")]
    assert all(after.y - before.y > after.size for before, after in zip(rows, rows[1:], strict=False))
    assert max(row.y + row.size / 2 for row in rows) <= canvas.height


def test_pictures_hold_what_is_drawn():
    square = np.full((56, 56, 3), 255, np.uint8)
    for canvas in (
        wrapped([square] * 20, ["1000"] * 20, "features.0", "20 of 20"),
        crossed([[square] * 3] * 2, ["filter 1", "filter 2000"], ["1", "20", "3000"], "features.0", "2 of 2"),
        matrix(np.ones((5, 700)), 1, "a long title that is wider", "note"),
        strip([square] * 8, ["1"] * 8),
    ):
        for element in canvas.elements:
            if hasattr(element, "pixels"):
                height, width = element.pixels.shape[:2]
                assert element.x >= 0 and element.x + width <= canvas.width
                assert element.y >= 0 and element.y + height <= canvas.height
