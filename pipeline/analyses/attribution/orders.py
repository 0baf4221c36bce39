"""In which order pixels come: by how much they matter, by lot, or from the middle outwards."""

import numpy as np
from numpy.typing import NDArray

from pipeline.numerics.geometry import Pair

Floats = NDArray[np.floating]
Order = NDArray[np.int64]


def lots(image_id: int, size: Pair, count: int, seed: int) -> Order:
    """Draw orders of an image's pixels by lot, which depend on no other image.

    Parameters
    ----------
    image_id
        Of the image.
    size
        Its height and width, pixels.
    count
        How many orders.
    seed
        Of all images.

    Returns
    -------
    (count, H · W) int64
        Each a permutation of the pixels, line by line.
    """
    random = np.random.default_rng([seed, image_id])
    return np.stack([random.permutation(size[0] * size[1]) for _ in range(count)]).astype(np.int64)


def by_importance(matters: Floats, lot: Order) -> Order:
    """Order pixels by a map, those that matter most first.

    Parameters
    ----------
    matters
        (H, W).
    lot
        (H · W,), in whose order pixels come that matter alike: line by line, a map that is zero in most
        places would delete an image from its top.

    Returns
    -------
    (H · W,) int64
        Pixels, line by line.
    """
    return lot[np.argsort(-matters.ravel()[lot], kind="stable")]


def from_the_middle(size: Pair, lot: Order) -> Order:
    """Order pixels by how near they are to the middle, (H · W,); those that are equally near, by lot."""
    y, x = np.mgrid[: size[0], : size[1]]
    far = (2 * y + 1 - size[0]) ** 2 + (2 * x + 1 - size[1]) ** 2
    return by_importance(-far.astype(np.float64), lot)
