"""The ranking of all images of a folder of activations, reduced shard by shard.

Per-unit lists of the best k merge in any order, so parts of the dataset are ranked apart, on the workers
where there is much to read, and only the lists travel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.errors import UserError
from pipeline.formats.activations import open_activations
from pipeline.parallel.fold import fold, split
from pipeline.topk.streaming import TopK, add_shard, merge_topk

PARTS = 64
# Below this many bytes of maxima and positions a process reads them faster than a cluster starts.
LARGE = 1 << 30


@dataclass(frozen=True)
class Part:
    """Some shards of a folder of activations, by their places in its index."""

    folder: Path
    shards: slice

    def __str__(self) -> str:
        return f"{self.folder}, shards {self.shards.start} to {self.shards.stop - 1}"


def rank(folder: Path, k: int, *, large: int = LARGE) -> dict[str, TopK]:
    """Rank the images of every layer's units by their maxima.

    Parameters
    ----------
    folder
        ``artifacts/activations``.
    k
        Ranks kept for each unit, at least 1.
    large
        Bytes of maxima from which Dask's workers rank; no result depends on it.

    Returns
    -------
    dict of str to TopK
        In the network's order of layers.

    Raises
    ------
    UserError
        An activation is NaN: it has no rank. Or, with Dask's workers, the cluster is lost, or some shards end
        every worker that reads them.
    """
    activations = open_activations(folder)
    units = sum(activations.layer(layer).units for layer in activations.layers)
    jobs = [Part(folder.resolve(), shards) for shards in split(activations.count, PARTS)]
    much = len(activations.image_id) * units * 8 >= large
    return fold(partial(rank_part, k=k), merge_two, jobs, large=much, label="ranking")


def rank_part(part: Part, k: int) -> dict[str, TopK]:
    """Rank the images of some shards, one layer of one shard in memory at a time.

    Raises
    ------
    UserError
        An activation is NaN.
    """
    activations = open_activations(part.folder)
    ranking = {layer: TopK(k) for layer in activations.layers}
    for shard in activations.shards(part.shards):
        try:
            add_shard(ranking, shard)
        except ValueError as error:
            raise UserError(f"{shard.path}: {error}; check the weights and the precision") from error
    return ranking


def merge_two(one: dict[str, TopK], other: dict[str, TopK]) -> dict[str, TopK]:
    """Return the ranking over both; neither is changed."""
    return merge_topk([one, other])
