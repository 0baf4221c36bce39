"""How pure in class the first images of units and of directions are, and how far the two differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, permutation_test

from pipeline.formats.directions import Compared

Float64 = NDArray[np.float64]

RESAMPLES = 9999


def class_purity(label: NDArray[np.integer], classes: int) -> Float64:
    """Return 1 less the entropy of the labels over the logarithm of the number of classes.

    Parameters
    ----------
    label : (D, K)
        Of the first K images of each; negative where there is no image, or it has no label.
    classes
        In the dataset, 2 or more.

    Returns
    -------
    (D,) float64
        1 where all have one label; NaN where one is lacking: fewer images are purer by chance.
    """
    counts = (label[:, :, None] == np.arange(label.max(initial=0) + 1)).sum(1)
    share = counts / label.shape[1]
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    purity = 1 + (share * logs).sum(1) / np.log(classes)
    return np.where((label >= 0).all(1), purity, np.nan)


def compare(units: Float64, directions: Float64, *, seed: int) -> Compared | None:
    """Compare the purity of units with that of directions; None where there are fewer than two of either.

    Parameters
    ----------
    units, directions
        (D,) and (E,) purities; NaN is left out.
    seed
        Of the permutations, of which there are 9,999, or all where these are fewer.
    """
    one, other = units[~np.isnan(units)], directions[~np.isnan(directions)]
    if min(len(one), len(other)) < 2:
        return None
    found = permutation_test(
        (one, other), _difference, vectorized=True, n_resamples=RESAMPLES, batch=500,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    larger = mannwhitneyu(one, other).statistic / (len(one) * len(other))
    return Compared(
        len(one), len(other), float(one.mean()), float(other.mean()), float(2 * larger - 1),
        float(found.pvalue),
    )  # fmt: skip


def _difference(one: Float64, other: Float64, axis: int) -> Float64:
    return np.asarray(one.mean(axis) - other.mean(axis))
