"""Exact nearest neighbours by brute force, for some or all of the points, in bounded memory.

Why not scikit-learn's: docs/decisions/0017-numerics-of-our-own.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Distances held at once: 2**22 float64 are 32 MiB. Larger blocks leave the processor's cache and are slower.
DISTANCES_AT_ONCE = 1 << 22


def distance_rows(
    points: NDArray[np.floating], queries: NDArray[np.integer]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield squared Euclidean distances of some points to all points, a block of queries at a time.

    Parameters
    ----------
    points
        (N, C).
    queries
        (Q,) rows of `points`.

    Yields
    ------
    slice, (q, N) float64
        Which queries, and their distances; a point's distance to itself is infinite, so that it is nobody's
        own neighbour.
    """
    exact = np.asarray(points, np.float64)
    exact = exact - exact.mean(axis=0)
    norms = np.einsum("ij,ij->i", exact, exact)
    step = max(1, DISTANCES_AT_ONCE // max(len(exact), 1))
    for start in range(0, len(queries), step):
        chosen = queries[start : start + step]
        distances = exact[chosen] @ exact.T
        distances *= -2.0
        distances += norms[chosen][:, None]
        distances += norms
        np.maximum(distances, 0.0, out=distances)
        distances[np.arange(len(chosen)), chosen] = np.inf
        yield slice(start, start + len(chosen)), distances


def nearest_neighbours(
    points: NDArray[np.floating], queries: NDArray[np.integer], k: int
) -> NDArray[np.int64]:
    """Return the k nearest other points of some points.

    Parameters
    ----------
    points
        (N, C).
    queries
        (Q,) rows of `points`.
    k
        Neighbours wanted, 1 to N - 1.

    Returns
    -------
    (Q, k) int64
        Rows of `points`, nearest first.
    """
    found = np.empty((len(queries), k), np.int64)
    for rows, distances in distance_rows(points, queries):
        found[rows] = nearest_of(distances, k)
    return found


def nearest_of(distances: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Return the columns of the k smallest distances of each row, smallest first: (q, N) -> (q, k)."""
    kept = np.argpartition(distances, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(distances, kept, axis=1), axis=1, kind="stable")
    return np.take_along_axis(kept, order, axis=1).astype(np.int64)
