"""How good a layer's filters are by their weights (Gavrikov & Keuper, CNN filter DB, CVPR 2022), and noise.

Sparsity, variance entropy and orthogonality are the paper's; smoothness is of `pipeline.numerics.smoothness`;
evenness is the paper's entropy for kernels of any size, against noise that is drawn.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from pipeline.formats.filters import Quality
from pipeline.numerics.smoothness import deviation_of_noise, smoothness

# A kernel is zero if each of its weights is less than this share of the layer's largest.
ZERO = 0.01
# The paper's fit to the entropy of random 3 x 3 kernels: L, x0, k, b.
FIT = (1.2618047, 2.30436435, 0.88767525, -0.31050834)
FITTED = (3, 3)
# Of fewer kernels the fit is not positive, or noise has any entropy.
FEWEST = 9
# The entropy of noise hardly changes beyond.
MOST_NOISE = 4096


def quality(weight: NDArray[np.floating], *, groups: int, seed: int) -> Quality:
    """Measure a layer's filters.

    Parameters
    ----------
    weight
        (units, channels, y, x); of a dense layer (units, inputs, 1, 1).
    groups
        Filters of different groups read different channels, so they are orthogonal.
    seed
        Of the noise that evenness is measured against.

    Returns
    -------
    Quality
    """
    return Quality(
        sparsity(weight),
        variance_entropy(weight) if weight.shape[2:] == FITTED else None,
        orthogonality(weight, groups=groups),
        _known(smoothness(weight)),
        _known(deviation_of_noise(weight)),
        evenness(weight, seed=seed),
    )


def is_like_noise(measured: Quality, *, smoothness: float, evenness: float) -> bool | None:
    """Tell whether kernels look like noise: neighbours are not alike, and no direction stands out.

    Parameters
    ----------
    measured
        Of a layer.
    smoothness
        Up to this size, or up to three standard deviations of noise, it is none.
    evenness
        From here on no direction stands out.

    Returns
    -------
    bool or None
        None where that is not known: kernels of one weight, fewer than nine, or none other than zero.
    """
    if measured.smoothness is None or measured.deviation is None or measured.evenness is None:
        return None
    bound = max(smoothness, 3 * measured.deviation)
    return abs(measured.smoothness) <= bound and measured.evenness >= evenness


def sparsity(weight: NDArray[np.floating]) -> float | None:
    """Return the share of a layer's kernels that are as good as zero; None where all weights are zero."""
    # Kernel by kernel, so that no second copy of a large layer is made.
    largest = np.maximum(weight.max((2, 3)), -weight.min((2, 3)))
    bound = float(largest.max(initial=0))
    return float(np.mean(largest < bound * ZERO)) if bound > 0 else None


def variance_entropy(weight: NDArray[np.floating]) -> float | None:
    """Return the entropy of a layer's kernels by that of random 3 x 3 ones; None of fewer than nine."""
    count = weight.shape[0] * weight.shape[1]
    entropy = _entropy(_kernels(weight))
    if count < FEWEST or entropy is None:
        return None
    scale, middle, slope, shift = FIT
    return entropy / (scale / (1 + math.exp(-slope * (math.log2(count) - middle))) + shift)


def evenness(weight: NDArray[np.floating], *, seed: int) -> float | None:
    """Return the entropy of a layer's kernels by that of noise; None of one weight, or fewer than nine.

    The noise is normally distributed, as many kernels of the same shape, at most 4,096.
    """
    kernels = _kernels(weight)
    entropy = _entropy(kernels) if kernels.shape[1] > 1 and len(kernels) >= FEWEST else None
    if entropy is None:
        return None
    shape = (min(len(kernels), MOST_NOISE), kernels.shape[1])
    noise = _entropy(np.random.default_rng(seed).normal(size=shape))
    assert noise is not None, "noise varies"
    return entropy / noise


def orthogonality(weight: NDArray[np.floating], *, groups: int) -> float | None:
    """Return 1 less the mean |cosine| between a layer's filters.

    Filters that are zero have no direction and are left out. None where a pair is lacking, and where each
    filter has channels of its own.
    """
    if groups == len(weight) > 1:
        return None
    filters = weight.reshape(groups, -1, math.prod(weight.shape[1:])).astype(np.float32)
    norm = np.linalg.norm(filters, axis=2, keepdims=True)
    filters = np.divide(filters, norm, out=np.zeros_like(filters), where=norm > 0)
    count = int(np.count_nonzero(norm))
    if count < 2:
        return None
    # What a filter has with itself is one.
    total = sum(float(np.abs(one @ one.T).sum(dtype=np.float64)) for one in filters) - count
    return 1 - max(total, 0.0) / (count * (count - 1))


def _kernels(weight: NDArray[np.floating]) -> NDArray[np.floating]:
    return weight.reshape(weight.shape[0] * weight.shape[1], math.prod(weight.shape[2:]))


def _entropy(kernels: NDArray[np.floating]) -> float | None:
    """Return the base-10 entropy of the variance of kernels (n, d) over directions; None if none varies."""
    centred = kernels - kernels.mean(0, dtype=np.float64)
    variance = np.maximum(np.linalg.eigvalsh(centred.T @ centred), 0)
    total = variance.sum()
    return float(entr(variance / total).sum() / math.log(10)) if total > 0 else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
