"""How good filters are, against the paper's formulas written out, and on weights of which it is known."""

import math

import numpy as np
import pytest

from pipeline.analyses.filters.quality import evenness, is_like_noise, orthogonality, quality, sparsity
from pipeline.analyses.filters.quality import variance_entropy as entropy_of
from pipeline.formats.filters import Quality

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(32, 16, 3, 3)).astype(np.float32)
BOUNDS = {"smoothness": 0.05, "evenness": 0.95}


def written_out(weight):
    """Gavrikov & Keuper's variance entropy, by the singular values of the centred kernels."""
    kernels = weight.reshape(-1, 9).astype(np.float64)
    variance = np.linalg.svd(kernels - kernels.mean(0), compute_uv=False) ** 2
    share = variance / variance.sum()
    entropy = -sum(one * math.log10(one) for one in share if one > 0)
    steps = math.log2(len(kernels))
    return entropy / (1.2618047 / (1 + math.exp(-0.88767525 * (steps - 2.30436435))) - 0.31050834)


@pytest.mark.parametrize("shape", [(32, 16, 3, 3), (9, 1, 3, 3), (1, 64, 3, 3)])
def test_variance_entropy_is_the_paper_s(shape):
    weight = RNG.normal(size=shape) * RNG.uniform(0.1, 3, (3, 3))
    assert entropy_of(weight) == pytest.approx(written_out(weight))


def test_random_kernels_have_variance_entropy_one_and_equal_ones_none():
    assert entropy_of(NOISE) == pytest.approx(1, abs=0.02)
    line = RNG.normal(size=(32, 16, 1, 1)) * np.ones((3, 3))
    assert entropy_of(line) == pytest.approx(0, abs=1e-6)
    assert entropy_of(np.ones((32, 16, 3, 3))) is None


@pytest.mark.parametrize("shape", [(32, 16, 5, 5), (32, 16, 1, 7), (4, 2, 3, 3)])
def test_variance_entropy_is_given_where_it_was_fitted_alone(shape):
    assert quality(RNG.normal(size=shape), groups=1, seed=0).variance_entropy is None


def test_sparsity_counts_kernels_that_are_small_throughout():
    weight = np.ones((2, 2, 3, 3))
    weight[0, 0] = 0.0099
    weight[0, 1] = 0
    weight[1, 0, :2] = 0
    weight[1, 1] = -1
    assert sparsity(weight) == 0.5
    assert sparsity(np.zeros((2, 2, 3, 3))) is None


def test_orthogonality_is_of_whole_filters():
    filters = NOISE.reshape(len(NOISE), -1) / np.linalg.norm(NOISE.reshape(len(NOISE), -1), axis=1)[:, None]
    cosines = [abs(a @ b) for i, a in enumerate(filters) for j, b in enumerate(filters) if i != j]
    assert orthogonality(NOISE, groups=1) == pytest.approx(1 - np.mean(cosines), abs=1e-6)
    assert orthogonality(np.ones((3, 2, 3, 3)), groups=1) == pytest.approx(0, abs=1e-6)


def test_dead_filters_change_no_orthogonality():
    dead = np.concatenate([NOISE, np.zeros((8, 16, 3, 3), np.float32)])
    assert orthogonality(dead, groups=1) == pytest.approx(orthogonality(NOISE, groups=1))


def test_filters_of_different_groups_are_orthogonal():
    twins = np.ones((4, 1, 3, 3))
    # Of twelve pairs the four within a group have cosine 1.
    assert orthogonality(twins, groups=2) == pytest.approx(1 - 4 / 12)
    assert orthogonality(twins, groups=4) is None


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (7, 7), (11, 11)])
def test_noise_of_any_size_looks_like_noise(kernel):
    weight = RNG.uniform(-1, 1, (64, 3, *kernel))
    assert evenness(weight, seed=1) == pytest.approx(1, abs=0.03)
    assert is_like_noise(quality(weight, groups=1, seed=0), **BOUNDS)


def test_smooth_kernels_and_few_patterns_are_no_noise():
    smooth = np.cumsum(NOISE, axis=2)
    assert is_like_noise(quality(smooth, groups=1, seed=0), **BOUNDS) is False
    # Neighbours as unlike as in noise, but one pattern throughout.
    pattern = np.array([[1, 1, -1], [-1, 1, 1], [0, -1, 0]])
    repeated = RNG.normal(size=(32, 16, 1, 1)) * pattern
    found = quality(repeated, groups=1, seed=0)
    assert abs(found.smoothness) < 0.34 and found.evenness < 0.1
    assert is_like_noise(found, smoothness=0.5, evenness=0.95) is False


def test_one_weight_is_not_judged():
    found = quality(NOISE[:, :, :1, :1], groups=1, seed=0)
    assert found.smoothness is None and is_like_noise(found, **BOUNDS) is None
    assert is_like_noise(Quality(), **BOUNDS) is None
