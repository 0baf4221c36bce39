"""How smooth kernels are."""

import numpy as np
import pytest

from pipeline.numerics.smoothness import deviation_of_noise, filter_smoothness, smoothness


def test_flat_kernels_are_smooth_and_checkers_are_not():
    board = np.indices((3, 3)).sum(0) % 2 * 2.0 - 1
    weight = np.stack([np.full((2, 3, 3), 0.3), np.stack([board, -2 * board])])
    # Each of a board's 12 pairs differs by 2: 48, where noise of norm 9 has 2 · 12.
    assert filter_smoothness(weight).tolist() == [1, -1]
    assert -1 < smoothness(weight) < 0


@pytest.mark.parametrize("kernel", [(3, 3), (1, 7), (5, 5), (2, 3)])
def test_noise_has_smoothness_zero_and_the_deviation_that_is_told(kernel):
    rng = np.random.default_rng(0)
    found, told = [], []
    for _ in range(600):
        weight = rng.normal(size=(4, 2, *kernel)) * rng.uniform(0.1, 2, (4, 2, 1, 1))
        found.append(smoothness(weight))
        told.append(deviation_of_noise(weight))
    # Three standard errors of a mean and of a deviation of 600 values.
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(600)
    assert np.mean(told) == pytest.approx(np.std(found), rel=0.09)


def test_scale_and_dead_kernels_change_nothing():
    weight = np.random.default_rng(0).normal(size=(3, 2, 3, 3)).astype(np.float32)
    more = np.concatenate([weight, np.zeros((1, 2, 3, 3), np.float32)])
    assert smoothness(7 * more) == pytest.approx(smoothness(weight), rel=1e-6)
    assert np.isnan(filter_smoothness(more)[-1])


@pytest.mark.parametrize("shape", [(4, 3, 1, 1), (0, 3, 3, 3)])
def test_what_has_no_neighbours_has_no_smoothness(shape):
    assert np.isnan(smoothness(np.ones(shape)))
    assert np.isnan(deviation_of_noise(np.ones(shape)))
    assert np.isnan(filter_smoothness(np.ones(shape))).all()
