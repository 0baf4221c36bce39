import numpy as np

from pipeline.analyses.training_dynamics.maps import joined, measure
from pipeline.numerics.maps import localisation

RNG = np.random.default_rng(0)


def test_measures_are_those_of_plain_numpy():
    values = RNG.integers(-1, 3, (5, 3, 4, 4)).astype(np.float32)
    values[2], values[3, 0] = 0, -1
    found = joined([measure(values[:2]), measure(values[2:])])
    np.testing.assert_allclose(found.mean, values.mean((2, 3)))
    np.testing.assert_array_equal(found.maxima, values.max((2, 3)))
    np.testing.assert_allclose(found.zeros, [(image == 0).mean() for image in values])
    for image, share in enumerate(found.localisation):
        local = localisation(values[image])
        expected = local[np.isfinite(local)].mean() if np.isfinite(local).any() else np.nan
        np.testing.assert_allclose(share, expected, rtol=1e-6)
    assert np.isnan(found.localisation).tolist() == [False, False, True, False, False]


def test_dense_layers_and_maps_without_a_tenth_of_their_positions_have_no_localisation():
    found = measure(np.array([[0, 2, 0, 1]], np.float32))
    assert found.zeros.tolist() == [0.5]
    assert found.maxima.tolist() == found.mean.tolist() == [[0, 2, 0, 1]]
    assert np.isnan(found.localisation).all()
    assert np.isnan(measure(np.ones((1, 2, 3, 3), np.float32)).localisation).all()
