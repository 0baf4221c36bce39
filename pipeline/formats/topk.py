"""``topk.h5``: the images of the largest maxima of every unit, written and read a layer at a time.

Order: by value, or where the layer is bounded above by what enters it, descending; of equal ones the smaller
image id first.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.activations import INPUT, OUTPUT
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.numerics.geometry import Pair

VERSION = 2
_ARRAYS = ("value", "image_id", "position", "count_active", "count_at_maximum", "box", "duplicate")
_BOUNDED = ("input", "output_rank")
_ESTIMATES = ("overlap", "lost")


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
    images_again, images_by_lot
        After half precision: how many were forwarded again, and how many of these only to see what the
        ranking lacks. None in float32.
    """

    layers: tuple[str, ...]
    images: int
    k: int
    margin: int
    input_size: Pair
    images_again: int | None = None
    images_by_lot: int | None = None


@dataclass(frozen=True)
class RankedLayer:
    """A layer's U units, each with its R largest maxima; R is k + margin, or fewer where the images are.

    Attributes
    ----------
    geometry
        The layer's.
    value : (U, R) float32
        Largest outputs, rank 0 first.
    image_id : (U, R) int64
    position : (U, R, 2) uint16
        y, x in the map.
    box : (U, R, 4) float32
        Receptive fields, x0, y0, x1, y1 in pixels of the original images, not clipped.
    count_active : (U,) int64
        Images on which the unit's maximum is positive.
    count_at_maximum : (U,) int64
        Images on which it is the largest that the unit has.
    duplicate : (U, R) bool
        Whether the network was given an earlier rank's input again.
    input : (U, R) float32 or None
        Where the layer is bounded above, what the images are ranked by: the maxima of what enters it.
    output_rank : (U, R) int64 or None
        There, how many images have a larger output.
    overlap
        After half precision, the share of the first k that were among them before they were ranked again; NaN
        if no unit is active, None in float32.
    lost
        After half precision, the estimated share of units that lack one of their first k; None in float32.
    """

    geometry: LayerGeometry
    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]
    count_active: NDArray[np.int64]
    count_at_maximum: NDArray[np.int64]
    duplicate: NDArray[np.bool_]
    input: NDArray[np.float32] | None = None
    output_rank: NDArray[np.int64] | None = None
    overlap: float | None = None
    lost: float | None = None

    @property
    def ranked_by(self) -> str:
        """What orders the images, "output" or "input"."""
        return OUTPUT if self.input is None else INPUT

    @property
    def key(self) -> NDArray[np.float32]:
        """The numbers that order the images, (U, R), descending."""
        return self.value if self.input is None else self.input


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
        file.set_attributes("", {key: value for key, value in vars(about).items() if value is not None})
        for name, layer in zip(about.layers, layers, strict=True):
            known = {key: getattr(layer, key) for key in _ESTIMATES if getattr(layer, key) is not None}
            file.set_attributes(name, layer.geometry.attributes() | known | {"ranked_by": layer.ranked_by})
            for array in _ARRAYS if layer.input is None else _ARRAYS + _BOUNDED:
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
            tuple(found["layers"]), found["images"], found["k"], found["margin"], pair(found["input_size"]),
            found.get("images_again"), found.get("images_by_lot"),
        )  # fmt: skip

    def layer(self, name: str) -> RankedLayer:
        """Read a layer's ranking."""
        found = self._file.attributes(name)
        names = _ARRAYS + _BOUNDED if found["ranked_by"] == INPUT else _ARRAYS
        arrays: dict[str, Any] = {array: self._file.get(f"{name}/{array}") for array in names}
        return RankedLayer(
            read_geometry(found), **arrays, overlap=found.get("overlap"), lost=found.get("lost")
        )


@contextmanager
def open_topk(path: Path) -> Iterator[TopkFile]:
    """Open a ranking; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        yield TopkFile(file)
