"""Places of the nearest images on a map whose points are in an order of their own."""

import numpy as np

from pipeline.figures import map_neighbours
from pipeline.figures.map_neighbours import are_on_map, nearest_places
from pipeline.formats.neighbours import OnMap

POINTS = np.array([7, 3, 9, 4, 20])


def near(image_id, neighbour):
    neighbour = np.array(neighbour)
    return OnMap(np.array(image_id), neighbour, np.ones(neighbour.shape, np.float32))


def test_each_point_has_the_places_of_its_nearest_in_their_order():
    found = nearest_places(near([3, 4, 7, 9, 20], [[4, 7], [3, 20], [9, 3], [20, 7], [9, 4]]), POINTS)
    assert POINTS[found].tolist() == [[9, 3], [4, 7], [20, 7], [3, 20], [9, 4]]


def test_what_was_not_compared_has_none_and_a_place_may_be_empty():
    found = nearest_places(near([4, 9], [[9, -1], [4, -1]]), POINTS)
    assert found.tolist() == [[-1, -1], [-1, -1], [3, -1], [2, -1], [-1, -1]]


def test_as_many_are_named_as_a_page_shows(monkeypatch):
    monkeypatch.setattr(map_neighbours, "SHOWN", 1)
    assert nearest_places(near([4, 9], [[9, 4], [4, 9]]), POINTS).shape == (5, 1)


def test_all_that_were_compared_must_be_on_the_map():
    assert are_on_map(near([4, 9], [[9], [4]]), POINTS)
    beyond = near([4, 8], [[8], [4]])
    assert not are_on_map(beyond, POINTS) and nearest_places(beyond, POINTS) is None
