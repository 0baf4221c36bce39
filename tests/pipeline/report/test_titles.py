"""Titles whose numbers come from several places: what a run lets them say, and what not."""

import pytest

from tests.small.pages import title_of

KEPT = {"knn": 0.505, "neighbours": 10, "knc": 0.7115, "class_neighbours": 4}


@pytest.mark.parametrize(
    ("part", "numbers", "title"),
    [
        ("map", KEPT, "The map keeps 50.5 % of an image’s 10 nearest neighbours"),
        ("map", {}, "Images at their places on the map"),
        ("labels", KEPT, "The map by label: it keeps 71.1 % of each class’s 4 nearest classes"),
        ("labels", KEPT | {"class_neighbours": 1}, "The map by label: it keeps 71.1 % of each class’s 1 nearest class"),
        ("labels", {}, "The map by label"),
        ("grid", {"block": 1, "grid_displacement_cells": 5.943}, "Every image on a grid, moved by 5.9 cells on average"),
        ("grid", {"block": 3, "grid_displacement_cells": 0.0}, "Images on a grid, moved by 0.0 cells on average"),
    ],
)  # fmt: skip
def test_the_map_says_what_it_keeps_where_that_is_known(part, numbers, title):
    assert title_of("embedding", part, numbers) == title
