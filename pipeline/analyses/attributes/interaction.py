"""Two attributes together: whether the network does worse where both are bad than their sum says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc
from sklearn.linear_model import LogisticRegression

from pipeline.analyses.attributes.binning import Bins
from pipeline.analyses.attributes.effects import Images
from pipeline.formats.attributes import Interaction


def interaction(first: Bins, second: Bins, names: tuple[str, str], images: Images) -> Interaction:
    """Count the cells of two attributes, and test whether their effects simply add up.

    The likelihood ratio between a share right for each cell, and a logistic regression in which each bin of
    either attribute adds its own.

    Parameters
    ----------
    first, second
        (N,) images each, in B and C bins.
    names
        Of the attributes.
    images
        The same images.
    """
    known = (first.place >= 0) & (second.place >= 0)
    shape = (len(first), len(second))
    cell = first.place[known] * shape[1] + second.place[known]
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    right = np.bincount(cell, images.right[known], shape[0] * shape[1]).reshape(shape).astype(np.int64)
    ratio, freedom = _likelihood_ratio(count, right)
    chance = float(chdtrc(freedom, ratio)) if freedom else float("nan")
    return Interaction(names, count, right, ratio, freedom, chance)


def _likelihood_ratio(count: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[float, int]:
    """Return twice the logarithm of the likelihoods' ratio, and its degrees of freedom."""
    rows, columns = np.nonzero(count)
    tried, good = count[rows, columns], right[rows, columns]
    places = zip((rows, columns), count.shape, strict=True)
    own_bin = [place[:, None] == np.arange(1, size) for place, size in places]
    design = np.hstack(own_bin).astype(np.float64)
    freedom = len(rows) - int(np.linalg.matrix_rank(np.hstack((np.ones((len(rows), 1)), design))))
    if not freedom or not 0 < good.sum() < tried.sum():
        return 0.0, 0
    outcome = np.repeat((1, 0), len(rows))
    weight = np.concatenate((good, tried - good)).astype(np.float64)
    kept = weight > 0
    # Hardly any penalty: with none the best of bins without a failure lies at infinity.
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000, solver="newton-cholesky")
    model.fit(np.tile(design, (2, 1))[kept], outcome[kept], sample_weight=weight[kept])
    added = model.predict_log_proba(design)
    share = good / tried
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.nansum(good * np.log(share)) + np.nansum((tried - good) * np.log1p(-share))
    return max(0.0, float(2 * (own - (good * added[:, 1] + (tried - good) * added[:, 0]).sum()))), freedom
