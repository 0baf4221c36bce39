import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from pipeline.analyses.correspondence.grids import CELLS, Grid, patch_sides, patches
from pipeline.analyses.correspondence.warps import Warp

SIZE = (24, 32)
GRID = Grid((np.arange(3) * 8.0 + 4, np.arange(4) * 8.0 + 4), (8, 8))
VALUES = np.random.default_rng(0).standard_normal((5, 3, 4)).astype(np.float32)
STILL = Warp(np.array([[1.0, 0, 0], [0, 1, 0]]))


def test_vectors_are_bilinear_between_neurons():
    points = np.random.default_rng(1).uniform((4, 4), (20, 28), (30, 2))
    oracle = RegularGridInterpolator(GRID.at, np.moveaxis(VALUES, 0, -1).astype(float))(points)
    np.testing.assert_allclose(GRID.vectors(VALUES, points), oracle, atol=1e-12)


def test_at_a_neuron_the_vector_is_that_neuron_s_to_the_bit():
    np.testing.assert_array_equal(GRID.vectors(VALUES, GRID.places), VALUES.reshape(5, -1).T)


def test_beyond_the_outermost_neurons_the_map_goes_on():
    np.testing.assert_array_equal(GRID.vectors(VALUES, np.array([[0.0, 31.0]]))[0], VALUES[:, 0, 3])


def test_a_row_of_one_neuron_is_everywhere_the_same():
    grid = Grid((np.array([5.0]), np.array([2.0, 6.0])), (10, 4))
    found = grid.vectors(VALUES[:, :1, :2], np.array([[0.0, 4.0], [9.0, 4.0]]))
    np.testing.assert_allclose(found[0], VALUES[:, 0, :2].mean(1), rtol=1e-6)
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("point", "inside"),
    [((4, 4), True), ((4, 12), True), ((20, 28), True), ((3, 4), False), ((4, 29), False), ((6, 6), True)],
)
def test_what_a_neuron_or_two_see_lies_in_the_image(point, inside):
    assert GRID.within(np.array([point], float), SIZE)[0] == inside


def test_padded_neurons_see_more_than_the_image():
    padded = Grid(GRID.at, (10, 10))
    assert not padded.within(np.array([[4.0, 12.0]]), SIZE)[0]
    assert padded.within(np.array([[12.0, 12.0]]), SIZE)[0]


def test_what_a_warp_shows_has_to_come_from_the_image():
    moved = Warp(np.array([[1.0, 0, 0], [0, 1, 8]]))
    points = np.array([[12.0, 4.0], [12.0, 12.0]])
    assert GRID.within(points, SIZE, STILL).tolist() == [True, True]
    assert GRID.within(points, SIZE, moved).tolist() == [False, True]


def test_patches_of_a_small_image_are_its_pixels():
    image = np.random.default_rng(2).standard_normal((3, 9, 12)).astype(np.float32)
    found, grid = patches(image, 4)
    assert found.shape == (48, 6, 9)
    np.testing.assert_array_equal(found[:, 2, 5], image[:, 2:6, 5:9].reshape(-1))
    np.testing.assert_array_equal(grid.places[2 * 9 + 5], [4, 7])
    assert grid.field == (4, 4)


def test_a_large_image_is_reduced_to_means():
    image = np.random.default_rng(3).standard_normal((1, 130, 150)).astype(np.float32)
    found, grid = patches(image, 6)
    assert max(found.shape[1:]) + 1 <= CELLS
    np.testing.assert_allclose(found[1, 4, 7], image[0, 12:15, 24:27].mean(), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(grid.places[0], [3, 3])


def test_sides_are_whole_steps_that_fit():
    assert patch_sides((0.1, 0.25, 0.26), (64, 64)) == [6, 16, 17]
    assert patch_sides((0.001, 1.0), (10, 64)) == [1, 10]
    assert all(side % 4 == 0 for side in patch_sides((0.1, 0.25), (224, 224)))
