"""Two maps of the same images laid upon each other.

A map has no up and no left: it is moved, turned, mirrored and scaled first (Procrustes; Gower, Psychometrika
40, 1975).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.comparison.shares import REPEATS
from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.neighbours import nearest_neighbours

NEIGHBOURS = 10
# Of more images some are drawn: each one's neighbours are sought among all.
MOST_ASKED = 2000


@dataclass(frozen=True)
class Aligned:
    """The second of two maps laid upon the first, and how well it lies.

    Attributes
    ----------
    first, second : (N, 2) float64
        The maps, centred, the first of root mean square 1.
    left
        Share of the first map's variance that the second does not account for, 0 to 1.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    left: float


@dataclass(frozen=True)
class Kept:
    """How many of the nearest neighbours on a map are the same on another.

    Attributes
    ----------
    share, low, high
        Mean over images, with its 95 % interval.
    neighbours
        How many of each image were compared.
    images
        Of how many images.
    by_chance
        What maps that have nothing to do with each other share.
    """

    share: float
    low: float
    high: float
    neighbours: int
    images: int
    by_chance: float


def align(first: NDArray[np.floating], second: NDArray[np.floating]) -> Aligned | None:
    """Lay a map upon another; None where all images lie at one place.

    Parameters
    ----------
    first, second
        (N, 2) coordinates of the same images.
    """
    one = np.asarray(first, np.float64) - np.mean(first, axis=0, dtype=np.float64)
    other = np.asarray(second, np.float64) - np.mean(second, axis=0, dtype=np.float64)
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if not all(lengths):
        return None
    one, other = one / lengths[0], other / lengths[1]
    left, scales, right = np.linalg.svd(other.T @ one)
    fitted = other @ (left @ right) * scales.sum()
    root = np.sqrt(len(one))
    return Aligned(one * root, fitted * root, float(max(1 - scales.sum() ** 2, 0.0)))


def neighbours_kept(first: NDArray[np.floating], second: NDArray[np.floating], *, seed: int) -> Kept | None:
    """Compare each image's nearest neighbours on two maps; None with fewer than three images.

    Parameters
    ----------
    first, second
        (N, 2) coordinates of the same images.
    seed
        Of the images that are drawn where there are many, and of the bootstrap.
    """
    count = len(first)
    wanted = min(NEIGHBOURS, (count - 1) // 2)
    if wanted < 1:
        return None
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.choice(count, min(count, MOST_ASKED), replace=False))
    ours, theirs = nearest_neighbours(first, asked, wanted), nearest_neighbours(second, asked, wanted)
    shares = (ours[:, :, None] == theirs[:, None, :]).any(axis=2).mean(axis=1)
    low, high = bootstrap_means(shares[:, None], repeats=REPEATS, seed=seed)
    by_chance = wanted / (count - 1)
    return Kept(float(shares.mean()), float(low[0]), float(high[0]), wanted, len(asked), by_chance)
