"""Principal components of the codes in a folder of activations, reduced shard by shard.

The first two moments of parts of the dataset merge, so they are added up apart, on the workers where there
is much to read; a second pass projects each part on the axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.activations import Activations, open_activations
from pipeline.numerics.pca import (
    WIDEST_SCATTER,
    Components,
    Moments,
    from_moments,
    joined,
    principal_components,
)
from pipeline.parallel.fold import fold, map_in_order, split
from pipeline.progress import progress

Metric = Literal["euclidean", "cosine"]
# The grouping of sums decides their last bits, so it depends on the data alone.
PARTS = 16
# Below this many bytes of codes a process adds them up faster than a cluster starts.
LARGE = 1 << 28


@dataclass(frozen=True)
class Codes:
    """The codes of some shards of a folder of activations, by their places in its index."""

    folder: Path
    shards: slice
    metric: Metric

    def __str__(self) -> str:
        return f"{self.folder}, shards {self.shards.start} to {self.shards.stop - 1}"

    def read(self) -> Iterator[NDArray[np.floating]]:
        """Yield the codes (n, D) of one shard after the other; for cosine distances scaled to length 1."""
        for shard in open_activations(self.folder).shards(self.shards):
            codes = shard.codes()
            yield normalised(codes) if self.metric == "cosine" else codes


def reduce_codes(
    folder: Path, components: int, metric: Metric, *, large: int = LARGE
) -> tuple[Components, NDArray[np.float32]]:
    """Return the principal components of all codes, and each image's coordinates along them.

    Parameters
    ----------
    folder
        ``artifacts/activations``.
    components
        Axes wanted; fewer come back where the codes or the images are fewer.
    metric
        "cosine": each code is scaled to length 1 first.
    large
        Bytes of codes from which Dask's workers read them.

    Returns
    -------
    components : Components
    points : (N, C) float32

    Raises
    ------
    UserError
        A code is NaN or infinite.
    """
    activations = open_activations(folder)
    width = _width(activations)
    parts = [Codes(folder.resolve(), run, metric) for run in split(activations.count, PARTS)]
    much = len(activations.image_id) * width * 4 >= large
    if width > WIDEST_SCATTER:
        axes = _from_passes(Codes(folder, slice(None), metric), activations, width, components)
    else:
        moments = fold(
            partial(moments_of, width=width), joined, parts, large=much, label="principal components"
        )
        axes = from_moments(moments, components)
    projected = map_in_order(partial(project, components=axes), parts, large=much, label="projecting")
    return axes, np.concatenate(projected)


def moments_of(codes: Codes, width: int) -> Moments:
    """Add up the moments of some shards."""
    moments = Moments(width)
    for part in codes.read():
        moments.add(part)
    return moments


def project(codes: Codes, components: Components) -> NDArray[np.float32]:
    """Return the coordinates (n, C) of some shards' codes."""
    empty = np.empty((0, len(components.axes)), np.float32)
    return np.concatenate([empty, *(components.project(part) for part in codes.read())])


def normalised(codes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale each code (n, D) to length 1; a code of zeros stays."""
    exact = codes.astype(np.float32)
    length = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.divide(exact, length, out=np.zeros_like(exact), where=length > 0)


def _width(activations: Activations) -> int:
    """Return the length of a code, from the first shard that has images."""
    for shard in activations.shards():
        return shard.code_width()
    return 0


def _from_passes(codes: Codes, activations: Activations, width: int, components: int) -> Components:
    """Codes too wide for a square matrix: several passes, here."""
    with progress("principal components", total=8 * activations.count, unit="shards") as bar:

        def parts() -> Iterator[NDArray[np.floating]]:
            for part in codes.read():
                yield part
                bar.advance()

        return principal_components(parts, width, components)
