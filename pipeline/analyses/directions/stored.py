"""What is stored of a layer, one vector of its space an image: ranked along directions, and its components.

Shards are read one by one, parts of the dataset apart, on the workers where there is much to read; of a layer
whose map has one position, the maxima are its outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.directions.making import Directions
from pipeline.errors import UserError
from pipeline.formats import shards
from pipeline.formats.activations import open_activations
from pipeline.numerics.pca import (
    WIDEST_SCATTER,
    Components,
    Moments,
    from_moments,
    joined,
    principal_components,
)
from pipeline.parallel.fold import fold, split
from pipeline.topk.streaming import TopK

What = Literal["maxima", "input maxima", "means"]
NAMED = {"maxima": shards.value, "input maxima": shards.input_value, "means": shards.mean}
# The grouping of sums decides their last bits, so it depends on the data alone.
PARTS = 16
# Below this many bytes a process reads them faster than a cluster starts.
LARGE = 1 << 30


@dataclass(frozen=True)
class Stored:
    """What some shards keep of a layer, by their places in the index of a folder of activations."""

    folder: Path
    layer: str
    what: What
    shards: slice = field(default_factory=lambda: slice(None))

    def __str__(self) -> str:
        return f"{self.folder}, shards {self.shards.start} to {self.shards.stop - 1}"

    def read(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the image ids (n,) and vectors (n, U) of one shard after the other."""
        for shard in open_activations(self.folder).shards(self.shards):
            yield shard.image_id, shard.read(NAMED[self.what](self.layer))

    def vectors(self) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors alone."""
        return (vectors for _, vectors in self.read())

    def parts(self) -> list[Stored]:
        """Return runs of shards that cover all of them."""
        count = open_activations(self.folder).count
        return [Stored(self.folder.resolve(), self.layer, self.what, run) for run in split(count, PARTS)]

    def is_large(self) -> bool:
        """Tell whether Dask's workers are to read it; no result depends on it."""
        activations = open_activations(self.folder)
        return len(activations.image_id) * activations.layer(self.layer).units * 4 >= LARGE


def rank_stored(stored: Stored, directions: Directions, k: int) -> TopK:
    """Rank the images along directions.

    Parameters
    ----------
    stored
        All of a layer.
    directions
        (R, U).
    k
        Ranks kept, at least 1.

    Raises
    ------
    UserError
        An activation is NaN or infinite.
    """
    rank = partial(rank_part, directions=directions, k=k)
    return fold(rank, merged, stored.parts(), large=stored.is_large(), label="ranking along directions")


def rank_part(stored: Stored, directions: Directions, k: int) -> TopK:
    """Rank the images of some shards, one of them in memory at a time.

    Raises
    ------
    UserError
        An activation is NaN or infinite.
    """
    ranking = TopK(k)
    for image_id, vectors in stored.read():
        # What is infinite is refused below.
        with np.errstate(invalid="ignore"):
            values = vectors @ directions.T
        try:
            ranking.add(values, image_id, np.zeros((*values.shape, 2), np.uint16))
        except ValueError as error:
            raise UserError(f"layer '{stored.layer}': direction {error}; check the weights") from error
    return ranking


def merged(one: TopK, other: TopK) -> TopK:
    """Return the ranking over both; neither is changed."""
    return TopK(one.k).merge(one).merge(other)


def components(stored: Stored, count: int) -> Components:
    """Return the `count` principal components of a layer's vectors, fewer where units or images are fewer.

    Raises
    ------
    UserError
        There are fewer than two images, or an activation is NaN or infinite.
    """
    activations = open_activations(stored.folder)
    units = activations.layer(stored.layer).units
    if units > WIDEST_SCATTER:
        return principal_components(stored.vectors, units, count)
    add_up = partial(moments_of, units=units)
    moments = fold(add_up, joined, stored.parts(), large=stored.is_large(), label="principal components")
    return from_moments(moments, count)


def moments_of(stored: Stored, units: int) -> Moments:
    """Add up the moments of some shards."""
    moments = Moments(units)
    for vectors in stored.vectors():
        moments.add(vectors)
    return moments
