import numpy as np

from pipeline.analyses.directions.making import normalised, random_directions


def test_random_directions_are_isotropic_and_of_length_one():
    drawn = random_directions(4000, 5, seed=0, layer="conv").astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, rtol=1e-6)
    # A fifth of the mass along each axis, and along any other direction.
    np.testing.assert_allclose(drawn.T @ drawn / 4000, np.eye(5) / 5, atol=0.02)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.03)


def test_a_layer_s_directions_depend_on_seed_and_name_alone():
    first = random_directions(3, 4, seed=1, layer="a")
    np.testing.assert_array_equal(first, random_directions(3, 4, seed=1, layer="a"))
    assert not np.isclose(first, random_directions(3, 4, seed=2, layer="a")).any()
    assert not np.isclose(first, random_directions(3, 4, seed=1, layer="b")).any()


def test_tiny_vectors_are_scaled_as_others():
    np.testing.assert_allclose(normalised(np.array([[3e-30, 4e-30]])), [[0.6, 0.8]], rtol=1e-6)
