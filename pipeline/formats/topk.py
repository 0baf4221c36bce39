"""``topk.h5``: the images of the largest maxima of every unit, written and read a layer at a time.

Order: by value, descending; of equal values the smaller image id first.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.numerics.geometry import Pair

VERSION = 1
_ARRAYS = ("value", "image_id", "position", "count_active", "box")


@dataclass(frozen=True)
class About:
    """What was ranked.

    Attributes
    ----------
    layers
        In the network's order.
    images
        How many were ranked.
    k, margin
        Images to show for each unit, and further ranks.
    input_size
        Height and width of the network's input, pixels.
    """

    layers: tuple[str, ...]
    images: int
    k: int
    margin: int
    input_size: Pair


@dataclass(frozen=True)
class RankedLayer:
    """A layer's U units, each with its R largest maxima; R is k + margin, or fewer where the images are.

    Attributes
    ----------
    geometry
        The layer's.
    value : (U, R) float32
        Rank 0 first.
    image_id : (U, R) int64
    position : (U, R, 2) uint16
        y, x in the map.
    box : (U, R, 4) float32
        Receptive fields, x0, y0, x1, y1 in pixels of the original images, not clipped.
    count_active : (U,) int64
        Images on which the unit's maximum is positive.
    overlap
        After half precision, the share of the first k that were among them before they were ranked again; NaN
        if no unit is active, None in float32.
    """

    geometry: LayerGeometry
    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]
    count_active: NDArray[np.int64]
    overlap: float | None = None


def write_topk(
    path: Path, about: About, layers: Iterable[RankedLayer], *, made_from: Mapping[str, str]
) -> None:
    """Write the ranking.

    Parameters
    ----------
    path
        The artifact.
    about
        What was ranked.
    layers
        In the order of `about.layers`; one is in memory at a time.
    made_from
        As of `pipeline.store.write`.
    """
    with store.write(path, stage="topk", version=VERSION, made_from=made_from, versions=("numpy",)) as file:
        ranks = {"layers": about.layers, "images": about.images, "k": about.k, "margin": about.margin}
        file.set_attributes("", ranks)
        file.set_attributes("", {"input_size": about.input_size})
        for name, layer in zip(about.layers, layers, strict=True):
            overlap = {} if layer.overlap is None else {"overlap": layer.overlap}
            file.set_attributes(name, layer.geometry.attributes() | overlap)
            for array in _ARRAYS:
                file.put(f"{name}/{array}", getattr(layer, array))


class TopkFile:
    """An open ranking; made by `open_topk`.

    Attributes
    ----------
    about
        What was ranked.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), found["images"], found["k"], found["margin"], pair(found["input_size"])
        )

    def layer(self, name: str) -> RankedLayer:
        """Read a layer's ranking."""
        found = self._file.attributes(name)
        arrays = {array: self._file.get(f"{name}/{array}") for array in _ARRAYS}
        return RankedLayer(read_geometry(found), **arrays, overlap=found.get("overlap"))


@contextmanager
def open_topk(path: Path) -> Iterator[TopkFile]:
    """Open a ranking; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        yield TopkFile(file)
