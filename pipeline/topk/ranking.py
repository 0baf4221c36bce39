"""The ranking of all images of a folder of activations, reduced shard by shard.

Per-unit lists of the best k merge in any order, so parts of the dataset are ranked apart, on the workers
where there is much to read, and only the lists travel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.errors import UserError
from pipeline.formats.activations import INPUT, Activations, open_activations
from pipeline.formats.shards import Shard
from pipeline.parallel.fold import fold, split
from pipeline.topk.streaming import TopK

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
    """Rank the images of every layer's units by their maxima, or by those of what enters the layer.

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
    by_input = ranked_by_input(activations)
    for shard in activations.shards(part.shards):
        try:
            add_shard(ranking, shard, by_input)
        except ValueError as error:
            raise UserError(f"{shard.path}: {error}; check the weights and the precision") from error
    return ranking


def add_shard(ranking: dict[str, TopK], shard: Shard, by_input: Collection[str] = ()) -> None:
    """Rank the images of one shard among those of earlier ones, one layer in memory at a time.

    Parameters
    ----------
    ranking : dict of str to TopK
        Layer to its ranking so far; brought up to date in place.
    shard : Shard
        Values (n, U) and positions (n, U, 2) of each layer.
    by_input : collection of str
        The layers that are ranked by what enters them.

    Raises
    ------
    ValueError
        As `TopK.add`, naming the layer.
    """
    for layer, topk in ranking.items():
        values, positions = shard.maxima(layer)
        outputs = None
        if layer in by_input:
            outputs, (values, positions) = values, shard.input_maxima(layer)
        try:
            topk.add(values, shard.image_id, positions, outputs)
        except ValueError as error:
            raise ValueError(f"layer '{layer}': {error}") from error


def merge_topk(parts: Iterable[dict[str, TopK]]) -> dict[str, TopK]:
    """Merge the results of several shards, layer by layer, in any order.

    Parameters
    ----------
    parts : iterable of dict of str to TopK
        Rankings over shards that share no image.

    Returns
    -------
    dict of str to TopK
        The ranking over all of them.
    """
    merged: dict[str, TopK] = {}
    for part in parts:
        for layer, topk in part.items():
            merged.setdefault(layer, TopK(topk.k)).merge(topk)
    return merged


def ranked_by_input(activations: Activations) -> set[str]:
    """Return the layers that are ranked by what enters them."""
    return {layer for layer in activations.layers if activations.layer(layer).ranked_by == INPUT}


def merge_two(one: dict[str, TopK], other: dict[str, TopK]) -> dict[str, TopK]:
    """Return the ranking over both; neither is changed."""
    return merge_topk([one, other])
