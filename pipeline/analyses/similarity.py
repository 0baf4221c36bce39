"""How alike two layers are in what they tell apart: linear centred kernel alignment (CKA).

Kornblith, Norouzi, Lee and Hinton, Similarity of neural network representations revisited, ICML 2019; with
the unbiased estimator of HSIC of Song, Smola, Gretton, Bedo and Borgwardt, JMLR 2012, as Nguyen, Raghu and
Kornblith, ICLR 2021, use it: that of the first paper grows with the number of units where images are few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Song's estimator divides by n - 3.
FEWEST_IMAGES = 4


def centred(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what a layer tells of each pair of images, scaled so that products of two layers are their CKA.

    It is the matrix of the images' scalar products without its diagonal, centred as Szekely and Rizzo (Annals
    of Statistics, 2014) do, which takes the diagonal's absence into account: of two such matrices the sum of
    products over ordered pairs is Song's estimator times n (n - 3).

    Parameters
    ----------
    values
        (n, U): each unit on n images, at least `FEWEST_IMAGES`.

    Returns
    -------
    (n (n - 1) / 2,) float64
        Of length 1; NaN where the layer tells no images apart.
    """
    count = len(values)
    if count < FEWEST_IMAGES:
        raise ValueError(f"at least {FEWEST_IMAGES} images are needed, got {count}")
    # The mean cancels below; without it round-off is smaller.
    moved = values - values.mean(0, dtype=np.float64)
    largest = np.abs(moved).max(initial=0)
    moved = moved / largest if largest > 0 else moved
    products = moved @ moved.T
    np.fill_diagonal(products, 0)
    rows = products.sum(0) / (count - 2)
    products -= rows[:, None] + rows - rows.sum() / (count - 1)
    pairs = products[np.triu_indices(count, 1)]
    length = np.linalg.norm(pairs)
    # Of equal images all products are round-off.
    scale = np.square(moved).sum() if largest > 0 else 0.0
    return pairs / length if length > 1e-12 * scale else np.full(len(pairs), np.nan)


def cka(first: Sequence[NDArray[np.float64]], second: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the CKA of each of the first layers with each of the second.

    Parameters
    ----------
    first, second
        Layers on the same images, of `centred`.

    Returns
    -------
    (len(first), len(second)) float64
        1 for layers that are equal up to rotation, shift and scale; around 0, and then negative as well, for
        unrelated ones; NaN where one tells no images apart.
    """
    # Beyond 1 there is only round-off.
    return np.clip([[one @ other for other in second] for one in first], -1, 1)
