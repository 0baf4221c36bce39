"""Figures of patches: layout, and what is said of empty places."""

import numpy as np
import pytest

from pipeline.figures.drawing.canvas import Label, Pixels
from pipeline.figures.drawing.strips import UnitTiles, patch_overview, patch_strip

SIDE = 64


def unit(shown, k=9, *, count_active=50, passed_over=0):
    value = np.full(k, -np.inf, np.float32)
    value[:shown] = np.arange(shown, 0, -1)
    pixels = np.full((SIDE, SIDE, 3), 200, np.uint8)
    patch = np.broadcast_to(pixels, (k, SIDE, SIDE, 3))
    return UnitTiles(3, value, patch, np.ones((k, SIDE, SIDE), np.uint8), count_active, 90, passed_over)


def words(canvas):
    return [element.text for element in canvas.elements if isinstance(element, Label)]


def inside(canvas):
    return all(
        element.x >= 0 and element.x + element.pixels.shape[1] <= canvas.width
        and element.y >= 0 and element.y + element.pixels.shape[0] <= canvas.height
        for element in canvas.elements
        if isinstance(element, Pixels)
    )  # fmt: skip


@pytest.mark.parametrize("k", [1, 9, 12, 13, 25])
@pytest.mark.parametrize("shown", [0, 1, 8, 25])
def test_every_place_has_a_tile_within_the_figure(k, shown):
    tiles = unit(min(shown, k), k)
    for canvas in (
        patch_strip(tiles),
        patch_overview([tiles] * 3, "layer", "note"),
    ):
        assert inside(canvas)
        assert max(element.y for element in canvas.elements if isinstance(element, Pixels)) < canvas.height
    assert sum(text.replace(".", "").isdigit() for text in words(patch_strip(tiles))) == min(shown, k)


def test_a_dead_unit_is_said_to_be_never_active():
    assert words(patch_strip(unit(0, count_active=0))) == ["never active"]


def test_a_unit_with_few_images_shows_those():
    assert words(patch_strip(unit(2, count_active=2))) == ["2.00", "1.00", "never active on other images"]


def test_near_duplicates_that_were_passed_over_count_as_shown():
    assert unit(2, count_active=5, passed_over=3).reason == "never active on other images"
    assert unit(2, count_active=50, passed_over=12).reason == "near-duplicates only"


def test_the_overview_names_units_and_how_often_they_are_active():
    canvas = patch_overview([unit(9), unit(0, count_active=0)], "features.1", "top 9")
    assert words(canvas)[:6] == ["features.1", "top 9", "unit 3", "active 56 %", "unit 3", "active 0 %"]
