"""How smooth the kernels of a convolution are, against noise of the same norm.

There is no published standard. Here it is the total variation, squared: of neighbouring weights of a kernel,
down and across, the squared differences are summed, and compared with what independent noise of the kernel's
norm has on average. That ratio is Geary's (1954), without taking the mean away; one less it is 1 for kernels
of one value throughout, 0 for noise, and negative where neighbours differ more than by chance.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def smoothness(weight: NDArray[np.floating]) -> float:
    """Return the smoothness of a layer: over all its kernels, each by its energy.

    Parameters
    ----------
    weight
        (units, channels, y, x).

    Returns
    -------
    float
        At most 1; NaN where kernels have one weight, or none is other than zero.
    """
    rough, energy = _sums(weight, axis=None)
    return _against_noise(rough, energy, weight.shape[2:]).item()


def filter_smoothness(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the smoothness of each filter: over its kernels, each by its energy.

    Parameters
    ----------
    weight
        (units, channels, y, x).

    Returns
    -------
    (units,) float64
        At most 1; NaN where kernels have one weight, or none of the filter is other than zero.
    """
    rough, energy = _sums(weight, axis=1)
    return _against_noise(rough, energy, weight.shape[2:])


def deviation_of_noise(weight: NDArray[np.floating]) -> float:
    """Return the standard deviation of a layer's smoothness, were its kernels noise of the same norms.

    The direction of such a kernel is uniform on a sphere, so that its smoothness has the mean 0 and the
    variance of a quadratic form there, which is exact.

    Parameters
    ----------
    weight
        (units, channels, y, x).

    Returns
    -------
    float
        NaN as of `smoothness`.
    """
    if not _has_neighbours(weight.shape[2:]):
        return math.nan
    energy, form = _energy(weight), _form(*weight.shape[2:])
    variance = 2 * (len(form) * np.sum(form**2) / np.trace(form) ** 2 - 1) / (len(form) + 2)
    total = energy.sum()
    return float(np.sqrt(variance * (energy**2).sum()) / total) if total > 0 else math.nan


def _has_neighbours(kernel: tuple[int, ...]) -> bool:
    return math.prod(kernel) > 1


def _energy(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the squared norm of each kernel, (units, channels)."""
    return np.einsum("oiyx,oiyx->oi", weight, weight, dtype=np.float64)


def _sums(weight: NDArray[np.floating], axis: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum squared differences of neighbours and squared norms, over all kernels or those of each filter."""
    rough = np.zeros(weight.shape[:2])
    for direction in (2, 3):
        step = np.diff(weight, axis=direction)
        rough += np.einsum("oiyx,oiyx->oi", step, step, dtype=np.float64)
    return np.asarray(rough.sum(axis=axis)), np.asarray(_energy(weight).sum(axis=axis))


def _against_noise(
    rough: NDArray[np.float64], energy: NDArray[np.float64], kernel: tuple[int, ...]
) -> NDArray[np.float64]:
    if not _has_neighbours(kernel):
        return np.full(energy.shape, np.nan)
    height, width = kernel
    pairs = (height - 1) * width + height * (width - 1)
    expected = 2 * pairs / (height * width) * energy
    return 1 - np.divide(rough, expected, out=np.full(energy.shape, np.nan), where=expected > 0)


def _form(height: int, width: int) -> NDArray[np.float64]:
    """Return the matrix L with w'Lw = the squared differences of a kernel w's neighbours."""
    place = np.arange(height * width).reshape(height, width)
    form = np.zeros((height * width, height * width))
    for first, second in ((place[1:], place[:-1]), (place[:, 1:], place[:, :-1])):
        for a, b in zip(first.ravel().tolist(), second.ravel().tolist(), strict=True):
            form[[a, b], [a, b]] += 1
            form[[a, b], [b, a]] -= 1
    return form
