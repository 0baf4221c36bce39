"""Points in many dimensions laid out on a map: t-SNE, with the numbers that say how far to trust it.

openTSNE does the optimisation (Poličar, Stražar & Zupan 2019) with its own defaults, which are those of
Kobak & Berens (2019): principal components as the start, learning rate N / exaggeration, early exaggeration
12. Neighbours are exact. Above a number of landmarks the map is made of a random sample, and the rest is
placed into it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.embedding.map_quality import (
    NEIGHBOURS,
    class_means_kept,
    distance_correlation,
    neighbours_kept,
    sample,
    trustworthiness,
)
from pipeline.analyses.embedding.structure import FEWEST, why_too_few
from pipeline.errors import UserError
from pipeline.numerics.curves import z_order
from pipeline.progress import Bar, progress
from pipeline.store.metrics import significant

# Threads that wait actively take the cores from those they wait for as soon as anything else runs, and the
# map takes several times as long. The OpenMP of openTSNE and of scikit-learn read this when they are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import openTSNE.initialization  # noqa: E402
from openTSNE import TSNE, TSNEEmbedding  # noqa: E402
from openTSNE.affinity import PrecomputedAffinities  # noqa: E402

EARLY_ITERATIONS = 250
ITERATIONS_A_REPORT = 50
# The repulsion is summed over a tree (Barnes-Hut) below so many points. Above, Fourier transforms on a grid
# (FIt-SNE) are faster but less exact, so that the last iterations are a tree's even there. During early
# exaggeration the grid is small, and a tree takes points for one that lie so near.
LATE_TREE = 30_000
LAST_BY_TREE = 100
# The fewest intervals of the grid's sides in the early phase: the grid of a map so small that it takes all of
# openTSNE's fewest, 50, would be finer than that of any larger map.
EARLY_INTERVALS = 25
PLACED_AT_ONCE = 10_000


@dataclass(frozen=True)
class Map:
    """A two-dimensional map of N points.

    Attributes
    ----------
    xy : (N, 2) float32
        Positions; only distances between them mean something, and near ones more than far ones.
    landmark : (L,) int64
        Rows that the map was made of, ascending; all N unless there were more than the landmarks asked for.
    kl : float
        Kullback-Leibler divergence of the landmarks' map, in nats, to six significant digits: threads add it
        up in any order, so that further ones differ from run to run.
    effective_perplexity : tuple of float
        What was used: openTSNE lowers a perplexity to (L - 1) / 3 where there are too few points.
    """

    xy: NDArray[np.float32]
    landmark: NDArray[np.int64]
    kl: float
    effective_perplexity: tuple[float, ...]


def embed(
    points: NDArray[np.floating],
    *,
    perplexity: Sequence[float] = (30.0,),
    exaggeration: float = 1.0,
    iterations: int = 500,
    landmarks: int = 100_000,
    seed: int = 0,
    n_jobs: int = 1,
) -> Map:
    """Lay points out on a map.

    Parameters
    ----------
    points
        (N, C), the coordinates whose Euclidean distances count, by falling variance: the first two start
        the map.
    perplexity
        One or several (then a mixture of Gaussian kernels), in neighbours.
    exaggeration
        Factor on the attraction after the early phase, from 1 (t-SNE proper) to about 4.
    iterations
        After the 250 of early exaggeration.
    landmarks
        Most points that are optimised together; the rest is placed among a sample of this size.
    seed
        Of the sample and of the jitter of the start.
    n_jobs
        Threads. Another number changes the last bits, and with them the map.

    Raises
    ------
    UserError
        There are fewer than five points, one is not finite, or all are equal.
    """
    _check(points)
    # Its remarks on what was asked for say nothing that the result does not.
    logging.getLogger("openTSNE").setLevel(logging.ERROR)
    landmark = sample(len(points), landmarks, seed)
    chosen = np.ascontiguousarray(points[landmark], dtype=np.float64)
    with progress("embedding", total=EARLY_ITERATIONS + iterations, unit="iterations") as bar:
        optimiser = TSNE(
            perplexity=list(perplexity), exaggeration=exaggeration, n_iter=iterations, n_jobs=n_jobs,
            early_exaggeration_iter=EARLY_ITERATIONS, random_state=seed, neighbors="exact",
            knn_kwargs={"algorithm": "brute"}, callbacks=_Reporter(bar),
            callbacks_every_iters=ITERATIONS_A_REPORT,
        )  # fmt: skip
        placed = _optimise(optimiser, chosen, start(chosen, seed))
    effective = tuple(float(value) for value in placed.affinities.effective_perplexities_)
    xy = _place_rest(placed, points, landmark)
    return Map(xy, landmark, significant(float(placed.kl_divergence)), effective)


def _optimise(optimiser: TSNE, points: NDArray[np.float64], first: NDArray[np.float64]) -> TSNEEmbedding:
    """Do what openTSNE's `fit` does, each phase with the approximation that is the better one in it."""
    placed = optimiser.prepare_initial(points, initialization=first)
    _optimise_along_curve(
        placed, EARLY_ITERATIONS, exaggeration=optimiser.early_exaggeration,
        momentum=optimiser.initial_momentum, negative_gradient_method="fft",
        min_num_intervals=EARLY_INTERVALS,
    )  # fmt: skip
    by_tree = optimiser.n_iter if len(points) < LATE_TREE else min(LAST_BY_TREE, optimiser.n_iter)
    for method, iterations in (("fft", optimiser.n_iter - by_tree), ("bh", by_tree)):
        if iterations:
            _optimise_along_curve(
                placed, iterations, exaggeration=optimiser.exaggeration, momentum=optimiser.final_momentum,
                negative_gradient_method=method,
            )  # fmt: skip
    return placed


def _optimise_along_curve(placed: TSNEEmbedding, iterations: int, **options: Any) -> None:
    """Do some iterations in place, with points that are near one another on the map side by side in memory.

    The tree, the grid and the neighbours' positions are then found in the cache: a fifth of the time.
    """
    order = z_order(np.asarray(placed))
    back = np.argsort(order)
    affinities = placed.affinities.P[order][:, order]
    affinities.sort_indices()
    state = placed.optimizer.copy()
    if state.gains is not None and state.update is not None:
        state.gains, state.update = state.gains[order], state.update[order]
    moved = TSNEEmbedding(
        np.asarray(placed)[order], PrecomputedAffinities(affinities, normalize=False), optimizer=state,
        **placed.gradient_descent_params,
    )  # fmt: skip
    moved.optimize(iterations, inplace=True, propagate_exception=True, **options)
    placed[order] = moved
    placed.kl_divergence = moved.kl_divergence
    placed.optimizer.gains, placed.optimizer.update = state.gains[back], state.update[back]


def start(points: NDArray[np.floating], seed: int) -> NDArray[np.float64]:
    """Return where t-SNE starts: the first two coordinates, the first scaled to a standard deviation of 1e-4.

    The scaling and the small jitter that parts equal points are openTSNE's own.

    Parameters
    ----------
    points
        (N, C) principal components.
    seed
        Of the jitter.

    Returns
    -------
    (N, 2) float64
    """
    first = np.zeros((len(points), 2))
    first[:, : min(2, points.shape[1])] = points[:, :2]
    openTSNE.initialization.rescale(first, inplace=True)
    openTSNE.initialization.jitter(first, inplace=True, random_state=seed)
    return first


def measure(
    points: NDArray[np.floating], made: Map, label: NDArray[np.integer], *, size: int, seed: int
) -> dict[str, float | None]:
    """Measure what a map keeps of the points' structure.

    Parameters
    ----------
    points
        (N, C), what was embedded.
    made
        Their map.
    label
        (N,), -1 where there is none.
    size
        Most points whose neighbours are looked at, among all N; a sample where there are more.
    seed
        Of that sample, and of the points whose distances are compared.

    Returns
    -------
    dict
        ``knn``, ``knc``, ``cpd``, ``trustworthiness`` of the whole map (see `map_quality`), and,
        where landmarks were used, the same of them alone as ``landmark_<name>``; None where it is not
        defined.
    """
    quality = _quality(points, made.xy, label, size, seed)
    if len(made.landmark) < len(points):
        own = _quality(points[made.landmark], made.xy[made.landmark], label[made.landmark], size, seed)
        quality.update({f"landmark_{name}": value for name, value in own.items()})
    return quality


class _Reporter:
    """Tells the progress bar about openTSNE's iterations."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def __call__(self, iteration: int, error: float, embedding: NDArray[np.float64]) -> bool:
        self._bar.advance(ITERATIONS_A_REPORT)
        return False


def _quality(
    points: NDArray[np.floating], xy: NDArray[np.floating], label: NDArray[np.integer], size: int, seed: int
) -> dict[str, float | None]:
    queries = sample(len(points), size, seed)
    return {
        # Where all others are neighbours, all are kept.
        "knn": neighbours_kept(points, xy, queries) if len(points) > NEIGHBOURS + 1 else None,
        "knc": class_means_kept(points, xy, label),
        "cpd": distance_correlation(points, xy, seed),
        "trustworthiness": trustworthiness(points, xy, queries),
    }


def _check(points: NDArray[np.floating]) -> None:
    if len(points) < FEWEST:
        raise UserError(f"embedding: {why_too_few(len(points))}")
    if not np.isfinite(points).all():
        raise UserError("embedding: NaN or infinite codes; check the network's weights and preprocessing")
    if points.shape[1] == 0 or not np.ptp(points, axis=0).any():
        raise UserError("embedding: every image has the same code, so there is no map; check the weights")


def _place_rest(
    placed: TSNEEmbedding, points: NDArray[np.floating], landmark: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the positions of all points; those that are no landmarks go near their neighbours there."""
    xy = np.empty((len(points), 2), np.float32)
    rest = np.setdiff1d(np.arange(len(points)), landmark)
    placed.gradient_descent_params["callbacks"] = None
    with progress("placing the rest", total=len(rest), unit="images") as bar:
        for first in range(0, len(rest), PLACED_AT_ONCE):
            rows = rest[first : first + PLACED_AT_ONCE]
            xy[rows] = placed.transform(np.ascontiguousarray(points[rows], dtype=np.float64))
            bar.advance(len(rows))
    # Last, because `transform` moves the landmarks' origin to the middle of their box.
    xy[landmark] = placed
    return xy
