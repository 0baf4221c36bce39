import numpy as np

from pipeline.figures.drawing.rings import rings_path


def test_a_ring_is_written_by_its_steps_in_halves_of_a_pixel():
    ring = np.array([[2, 3], [8.5, 3], [8.5, 9], [2, 9], [2, 3]])
    assert rings_path([ring]) == "M4 6l13 0 0 12-13 0z"


def test_the_larger_ring_comes_first():
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0.0]])
    assert rings_path([square, 2 * square]) == "M0 0l16 0 0 16-16 0zM0 0l8 0 0 8-8 0z"


def test_points_on_a_straight_line_are_left_out():
    ring = np.array([[0, 0], [2, 0], [4, 0], [4, 4], [0, 4], [0, 0.0]])
    assert rings_path([ring]) == "M0 0l8 0 0 8-8 0z"
