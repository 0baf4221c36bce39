"""``embedding.h5``: the images' places on a map and on a grid, and how good they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 2
# Images, at most, whose distances from each other cpd compares before and after.
CORRELATED_POINTS = 1000
_ARRAYS = ("image_id", "xy", "grid", "label", "landmark")
# Numbers among the attributes that every artifact bears.
_OF_EVERY_FILE = ("schema_version", "complete")


@dataclass(frozen=True)
class Embedding:
    """A map of M images.

    Attributes
    ----------
    image_id : (M,) int64
        Rows of the manifest.
    xy : (M, 2) float32
        Coordinates; y runs downwards.
    grid : (M, 2) int32
        Column and row, from the top left.
    label : (M,) int32
        Of the manifest; -1 where there is none.
    landmark : (L,) int64
        Places among the M of the images that were optimised together.
    grid_shape
        Columns and rows of the grid.
    metric
        Distance between codes.
    numbers
        What was counted and measured, by the names in docs/artifacts.md.
    """

    image_id: NDArray[np.int64]
    xy: NDArray[np.float32]
    grid: NDArray[np.int32]
    label: NDArray[np.int32]
    landmark: NDArray[np.int64]
    grid_shape: tuple[int, int]
    metric: str
    numbers: Mapping[str, int | float]

    @property
    def correlated(self) -> int:
        """Images, drawn at random, whose distances cpd compares."""
        return min(CORRELATED_POINTS, len(self.image_id))


def write_embedding(path: Path, embedding: Embedding, *, made_from: Mapping[str, str]) -> None:
    """Write the map; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "scikit-learn", "openTSNE")
    with store.write(
        path, stage="embedding", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        for name in _ARRAYS:
            file.put(name, getattr(embedding, name))
        file.set_attributes(
            "", {**embedding.numbers, "grid_shape": embedding.grid_shape, "metric": embedding.metric}
        )


def read_embedding(path: Path) -> Embedding | Status:
    """Read the map, or why there is none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _embedding)


def _embedding(file: store.Reader) -> Embedding:
    about = file.attributes()
    numbers = {
        name: value
        for name, value in about.items()
        if isinstance(value, int | float) and name not in _OF_EVERY_FILE
    }
    return Embedding(
        **{name: file.get(name) for name in _ARRAYS},
        grid_shape=pair(about["grid_shape"]),
        metric=about["metric"],
        numbers=numbers,
    )
