"""Tiles: values, hatching, empty places."""

import numpy as np
import pytest
from PIL import Image

from pipeline.figures.drawing.canvas import Label, Pixels, text_width
from pipeline.figures.drawing.tiles import empty, enlarge, format_value, hatched, unseen
from pipeline.figures.drawing.webp import save_webp


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"), (0.12345, "0.123"), (1.0, "1.00"), (9.999, "10.0"), (12.34, "12.3"), (99.96, "100"),
        (1234.5, "1,230"), (987654, "988,000"), (2.5e7, "2.50e+07"), (1.2e-5, "1.20e-05"),
        (-3.14159, "-3.14"),
    ],
)  # fmt: skip
def test_values_have_three_digits(value, text):
    assert format_value(value) == text


def test_hatching_covers_what_was_not_seen_and_nothing_else():
    pixels = np.zeros((16, 16, 3), np.uint8)
    mask = np.ones((16, 16), np.uint8)
    mask[:, :5] = 0
    tile = hatched(pixels, mask)
    assert not tile[:, 5:].any()
    np.testing.assert_array_equal(tile[:, :5], unseen(16, 16)[:, :5])


def test_hatching_is_not_one_tone_and_never_black():
    tones = np.unique(unseen(32, 32))
    assert len(tones) == 2
    assert tones.min() > 64


def test_small_tiles_are_enlarged_by_whole_factors():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    np.testing.assert_array_equal(enlarge(pixels, 64)[::3, ::3], pixels)
    assert enlarge(pixels, 64).shape == (72, 72, 3)
    assert enlarge(pixels, 24) is pixels


@pytest.mark.parametrize("width", [60, 96, 500])
def test_the_reason_of_an_empty_place_fits_into_it(width):
    tile, *words = empty(10, 20, width, 96, "never active on other images")
    assert isinstance(tile, Pixels)
    assert tile.pixels.shape == (96, width, 3)
    assert " ".join(word.text for word in words) == "never active on other images"
    for word in words:
        assert isinstance(word, Label)
        assert text_width(word.text, word.size) <= width
        assert 20 < word.y < 116
    assert len(empty(0, 0, width, 96, "")) == 1


def test_hatching_costs_little_where_photographs_are_kept_with_loss(tmp_path):
    grain = np.random.default_rng(0).normal(128, 30, (96, 96, 3))
    photograph = np.clip(grain, 0, 255).astype(np.uint8)
    sizes = []
    for beside in (np.full((96, 96, 3), 128, np.uint8), unseen(96, 96)):
        save_webp(tmp_path / "tiles.webp", Image.fromarray(np.hstack((photograph, beside))), 85)
        sizes.append((tmp_path / "tiles.webp").stat().st_size)
    assert sizes[1] - sizes[0] < 500
