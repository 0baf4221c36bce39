"""Exact nearest neighbours by brute force, for some or all of the points, in bounded memory.

Why not scikit-learn's: docs/decisions/0017-numerics-of-our-own.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Distances held at once: 2**22 float64 are 32 MiB. Larger blocks leave the processor's cache and are slower.
DISTANCES_AT_ONCE = 1 << 22
# Squared distances are rounded to this share of the queries' squared length: far above the round-off of
# float64, so that points at equal distances tie, and far below what tells neighbours apart.
GRAIN = 2.0**-36


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


class Search:
    """The k nearest points of some queries, among points that come in parts; holds Q x k of them.

    Where distances tie, the smaller id is nearer.

    Parameters
    ----------
    queries : (Q, C) float
    own : (Q,) int64
        The id of each query among the points, which is not its own neighbour.
    k : int
        Neighbours wanted, 1 or more.

    Attributes
    ----------
    neighbour : (Q, k) int64
        Ids, nearest first; -1 where there are fewer points.
    squared : (Q, k) float64
        Squared Euclidean distances; infinite where there are fewer points.
    """

    def __init__(self, queries: NDArray[np.floating], own: NDArray[np.integer], k: int) -> None:
        exact = np.asarray(queries, np.float64)
        # About a middle near all points few digits cancel.
        self._middle = exact.mean(axis=0) if len(exact) else np.zeros(exact.shape[1])
        self._queries, self._own = exact - self._middle, np.asarray(own, np.int64)
        self._norms = np.einsum("ij,ij->i", self._queries, self._queries)
        # Of a single query, which is the middle itself, every digit counts.
        self._grain = (self._norms + self._norms.mean()) * GRAIN if len(exact) > 1 else np.zeros(len(exact))
        self.neighbour = np.full((len(exact), k), -1, np.int64)
        self.squared = np.full((len(exact), k), np.inf)

    def add(self, points: NDArray[np.floating], ids: NDArray[np.integer]) -> None:
        """Look among further points.

        Parameters
        ----------
        points
            (n, C).
        ids
            (n,) ascending, and above those of earlier calls.
        """
        exact = np.asarray(points, np.float64) - self._middle
        norms = np.einsum("ij,ij->i", exact, exact)
        step = max(1, DISTANCES_AT_ONCE // max(len(exact), 1))
        for start in range(0, len(self._queries), step):
            rows = slice(start, start + step)
            distances = self._queries[rows] @ exact.T
            distances *= -2.0
            distances += self._norms[rows, None]
            distances += norms
            np.maximum(distances, 0.0, out=distances)
            # No number is neither near nor far.
            distances[ids == self._own[rows, None]] = np.nan
            self._keep(rows, distances, ids)

    def _keep(self, rows: slice, distances: NDArray[np.float64], ids: NDArray[np.integer]) -> None:
        """Merge the nearest of a block (q, n) into those that are held."""
        held, k = self.squared[rows], self.squared.shape[1]
        bound = held[:, -1]
        if len(ids) > k and np.isinf(bound).any():
            bound = np.minimum(bound, np.partition(distances, k - 1, axis=1)[:, k - 1])
        grain = self._grain[rows]
        # A grain above the bound nothing rounds down to it.
        row, column = np.nonzero(distances <= (bound + grain)[:, None])
        value, grain = distances[row, column], grain[row]
        np.multiply(np.rint(value / np.where(grain > 0, grain, 1.0)), grain, out=value, where=grain > 0)
        row = np.concatenate([np.repeat(np.arange(len(held)), k), row])
        value = np.concatenate([held.ravel(), value])
        found = np.concatenate([self.neighbour[rows].ravel(), ids[column]])
        order = np.lexsort((found, value, row))
        place = np.arange(len(order)) - np.searchsorted(row[order], row[order])
        first = order[place < k]
        self.squared[rows] = value[first].reshape(len(held), k)
        self.neighbour[rows] = found[first].reshape(len(held), k)
