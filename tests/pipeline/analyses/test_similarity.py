from itertools import permutations

import numpy as np
import pytest

from pipeline.analyses.similarity import centred, cka

RNG = np.random.default_rng(0)


def song(first, second):
    """HSIC by the formula of Song et al. (2012), equation 5."""
    n = len(first)
    K, L = first @ first.T, second @ second.T
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    ones = np.ones(n)
    middle = (ones @ K @ ones) * (ones @ L @ ones) / ((n - 1) * (n - 2))
    return (np.trace(K @ L) + middle - 2 / (n - 2) * ones @ K @ L @ ones) / (n * (n - 3))


def averaged(first, second):
    """HSIC as what it is an average of: over all choices of four different images."""
    K, L = first @ first.T, second @ second.T
    fours = list(permutations(range(len(first)), 4))
    return np.mean([K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q]) for i, j, q, r in fours])


def test_it_is_the_estimator_of_song_and_an_average_over_fours():
    first, second = RNG.standard_normal((7, 3)), RNG.standard_normal((7, 5)) + 2
    np.testing.assert_allclose(song(first, second), averaged(first, second), rtol=1e-9)
    expected = song(first, second) / np.sqrt(song(first, first) * song(second, second))
    np.testing.assert_allclose(cka([centred(first)], [centred(second)])[0, 0], expected, rtol=1e-9)


def test_a_layer_is_like_itself_rotated_shifted_and_scaled():
    layer = np.maximum(RNG.standard_normal((50, 20)), 0)
    rotation, _ = np.linalg.qr(RNG.standard_normal((20, 20)))
    others = [layer, layer @ rotation, 1e-3 * layer @ rotation + 5, layer.astype(np.float32)]
    found = cka([centred(layer)], [centred(other) for other in others])
    np.testing.assert_allclose(found, 1, atol=1e-6)


def test_unrelated_layers_are_at_zero_however_many_units_they_have():
    found = [
        cka([centred(RNG.standard_normal((40, 500)))], [centred(RNG.standard_normal((40, 500)))])
        for _ in range(30)
    ]
    # The estimator that is not unbiased gives 0.9 here.
    assert abs(np.mean(found)) < 0.02
    assert np.min(found) < 0


def test_a_layer_that_tells_no_images_apart_has_no_similarity():
    constant = np.full((9, 3), 0.1, np.float32)
    assert np.isnan(cka([centred(constant)], [centred(RNG.standard_normal((9, 3)))])).all()
    with pytest.raises(ValueError, match="at least 4 images"):
        centred(np.ones((3, 2)))
