"""How much of the structure of a space its two-dimensional map keeps.

Each number compares `points` (the space that was embedded) with `xy` (the map), rows in the same order. The
first three are those of Kobak & Berens (2019), the last is Venna & Kaski's (2001).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from pipeline.formats.embedding import CORRELATED_POINTS
from pipeline.numerics.neighbours import distance_rows, nearest_neighbours

NEIGHBOURS = 10


def sample(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Return `size` of the rows 0 to `count` - 1, ascending; all where there are no more."""
    if count <= size:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size, replace=False))


def neighbours_kept(
    points: NDArray[np.floating], xy: NDArray[np.floating], queries: NDArray[np.integer], k: int = NEIGHBOURS
) -> float:
    """Return KNN: the mean share of a point's k nearest neighbours that are also its k nearest in the map.

    Parameters
    ----------
    points
        (N, C).
    xy
        (N, 2).
    queries
        (Q,) the rows that are asked; neighbours are sought among all N.
    k
        Neighbours; lowered to N - 1 where there are fewer.

    Returns
    -------
    float
        0 to 1.
    """
    k = min(k, len(points) - 1)
    before, after = nearest_neighbours(points, queries, k), nearest_neighbours(xy, queries, k)
    return float((before[:, :, None] == after[:, None, :]).any(axis=2).mean())


def class_neighbours(classes: int) -> int:
    """Return how many neighbouring class means are compared: half of the others, at most 10, or 0."""
    return min(NEIGHBOURS, (classes - 1) // 2) if classes > 2 else 0


def class_means_kept(
    points: NDArray[np.floating], xy: NDArray[np.floating], label: NDArray[np.integer]
) -> float | None:
    """Return KNC: `neighbours_kept` of the class means, with `class_neighbours` neighbours each.

    Parameters
    ----------
    points
        (N, C).
    xy
        (N, 2).
    label
        (N,), -1 where there is none.

    Returns
    -------
    float or None
        0 to 1; None with fewer than three classes, where every mean has the same neighbours, and with classes
        of one image each, which have no means.
    """
    present = np.unique(label[label >= 0])
    k = class_neighbours(len(present))
    if k == 0 or len(present) == np.count_nonzero(label >= 0):
        return None
    means = [
        np.stack([space[label == one].mean(axis=0, dtype=np.float64) for one in present])
        for space in (points, xy)
    ]
    return neighbours_kept(means[0], means[1], np.arange(len(present)), k)


def distance_correlation(points: NDArray[np.floating], xy: NDArray[np.floating], seed: int) -> float | None:
    """Return CPD: the Spearman correlation of distances in the space and in the map, of some random points.

    Returns
    -------
    float or None
        -1 to 1; None where the distances of one side are all equal.
    """
    chosen = sample(len(points), CORRELATED_POINTS, seed)
    before, after = pdist(points[chosen].astype(np.float64)), pdist(xy[chosen].astype(np.float64))
    if len(before) < 2 or np.ptp(before) == 0 or np.ptp(after) == 0:
        return None
    return float(spearmanr(before, after).statistic)


def trustworthiness(
    points: NDArray[np.floating], xy: NDArray[np.floating], queries: NDArray[np.integer], k: int = NEIGHBOURS
) -> float | None:
    """Return how little the map's neighbours are strangers in the space.

    ``1 - 2 / (Q k (2N - 3k - 1)) * sum(max(0, rank - k))`` over the k map neighbours of Q points, `rank`
    being the neighbour's place in the space (1 is the nearest; equal distances share the best place).

    Parameters
    ----------
    points
        (N, C).
    xy
        (N, 2).
    queries
        (Q,) the rows that are asked; ranks are among all N.
    k
        Neighbours; must be below N / 2.

    Returns
    -------
    float or None
        0 to 1; None where k is not below N / 2.
    """
    count = len(points)
    if not k < count / 2 or len(queries) == 0:
        return None
    penalty = 0
    after = nearest_neighbours(xy, queries, k)
    for rows, distances in distance_rows(points, queries):
        theirs = np.take_along_axis(distances, after[rows], axis=1)
        for line, values in zip(distances, theirs, strict=True):
            ranks = (line[:, None] < values).sum(axis=0) + 1
            penalty += int(np.maximum(ranks - k, 0).sum())
    return float(1.0 - 2.0 * penalty / (len(queries) * k * (2 * count - 3 * k - 1)))
