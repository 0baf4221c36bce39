"""Sheets of strips."""

import numpy as np
import pytest
from PIL import Image

from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet

RNG = np.random.default_rng(0)


def flat(width, height, colour):
    return Image.new("RGBA", (width, height), colour)


def test_strips_lie_below_each_other_and_are_what_they_were(tmp_path):
    strips = [flat(40, 10, (200, 30, 10, 255)), flat(30, 20, (0, 0, 250, 255)), flat(40, 5, (9, 9, 9, 255))]
    assert save_sheet(tmp_path / "layer/a.webp", strips) == (40, 35, [0, 10, 30])
    with Image.open(tmp_path / "layer/a.webp") as image:
        pixels = np.asarray(image.convert("RGBA"))
    for strip, y in zip(strips, (0, 10, 30), strict=True):
        np.testing.assert_array_equal(pixels[y : y + strip.height, : strip.width], np.asarray(strip))
    assert not pixels[10:30, 30:, 3].any()


def test_equal_strips_give_equal_bytes(tmp_path):
    strip = Image.fromarray(RNG.integers(0, 256, (20, 50, 4)).astype(np.uint8))
    for name in ("a.webp", "b.webp"):
        save_sheet(tmp_path / name, [strip, strip])
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()


@pytest.mark.parametrize("size", [(898, 98), (1186, 130), (2, 2), (20_000, 16_000)])
def test_a_sheet_holds_one_strip_at_least_and_is_no_higher_than_a_webp_can_be(size):
    count = strips_a_sheet(*size)
    assert count >= 1
    assert count * size[1] <= 16_383
    assert count == 1 or count * size[0] * size[1] <= 360_000
