"""Titles whose numbers come from several places: what a run lets them say, and what not."""

import pytest

from tests.small.pages import title_of

KEPT = {"knn": 0.505, "neighbours": 10, "knc": 0.7115, "class_neighbours": 4}
MOVED = {"block": 1, "grid_displacement_cells": 5.943}


@pytest.mark.parametrize(
    ("part", "numbers", "title"),
    [
        ("map", KEPT, "The map keeps 50.5 % of an image’s 10 nearest neighbours"),
        ("map", {}, "Images at their places on the map"),
        ("labels", KEPT, "The map by label: it keeps 71.2 % of each class’s 4 nearest classes"),
        ("labels", {}, "The map by label"),
        ("grid", MOVED, "Every image on a grid, moved by 5.9 cells on average"),
        ("grid", {**MOVED, "block": 3}, "Images on a grid, moved by 5.9 cells on average"),
    ],
)  # fmt: skip
def test_the_map_says_what_it_keeps_where_that_is_known(part, numbers, title):
    assert title_of("embedding", part, numbers) == title


def clear(method, low, high):
    return {f"{method}_difference_low": low, f"{method}_difference_high": high}


UNIT, IMAGE, OPEN = (-0.3, -0.1), (0.1, 0.3), (-0.1, 0.1)


@pytest.mark.parametrize(
    ("deconvnet", "guided", "title"),
    [
        (UNIT, UNIT, "Over all layers, projections tell more of the unit than of the image"),
        (IMAGE, IMAGE, "Over all layers, projections tell more of the image than of the unit"),
        (UNIT, IMAGE, "the deconvnet tells more of the unit, guided backpropagation more of the image"),
        (UNIT, OPEN, "the deconvnet tells more of the unit; guided backpropagation is unclear"),
        (OPEN, IMAGE, "guided backpropagation tells more of the image; the deconvnet is unclear"),
        (OPEN, OPEN, "it is unclear whether projections tell more of the unit or of the image"),
        (IMAGE, None, "Over all layers, projections tell more of the image than of the unit"),
        (None, OPEN, "it is unclear whether projections tell more of the unit or of the image"),
        (None, None, "How alike projections of two units, and of two images, are"),
    ],
)
def test_projections_tell_of_the_unit_or_of_the_image_where_the_interval_is_clear(deconvnet, guided, title):
    numbers = clear("deconvnet", *deconvnet) if deconvnet else {}
    numbers |= clear("guided_backprop", *guided) if guided else {}
    assert title_of("projections", "likeness", numbers).endswith(title)


FOUND = {"layers": 3, "as_good": 1, "best": "conv", "best_pck": 0.75, "best_ends": (0.7, 0.8)}


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "Most points are found in conv: 75.0 % (70.0–80.0 %)"),
        ({"as_good": 2}, "Most points are found in 2 layers: 75.0 % (70.0–80.0 %)"),
        ({"layers": 1}, "In conv 75.0 % of points are found (70.0–80.0 %)"),
    ],
)
def test_the_layer_of_most_points_is_named_where_it_is_one(changed, title):
    assert title_of("correspondence", "shares", FOUND | changed) == title


def test_of_one_image_points_are_counted_without_an_interval():
    numbers = {name: value for name, value in FOUND.items() if name != "best_ends"}
    assert title_of("correspondence", "shares", numbers) == "Most points are found in conv: 75.0 %"
