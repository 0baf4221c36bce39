"""``directions.h5``: layers ranked along arbitrary directions beside their units, with the patches of some.

A layer is read a kind at a time, patches a direction at a time.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.formats.patches import Patches
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair

VERSION = 1
UNIT, RANDOM, PCA, FILE = "unit", "random", "pca", "file"
KINDS = (UNIT, RANDOM, PCA, FILE)
_ARRAYS = (
    "value", "image_id", "position", "box", "duplicate", "count_active", "purity", "shown", "place",
)  # fmt: skip
_OPTIONAL = ("direction", "variance")
_ROTATIONS = ("with_activation", "without_activation")
_PLACES = ("first", "activation", "second")


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
        Images to show for each, and further ranks.
    classes
        Of the labelled images, which purity is of; 0 without labels.
    size
        Side of a patch, pixels.
    input_size
        Height and width of the network's input, pixels.
    """

    layers: tuple[str, ...]
    images: int
    k: int
    margin: int
    classes: int
    size: int
    input_size: Pair


@dataclass(frozen=True)
class Kind:
    """The D directions of a kind in a layer, or its D units; each with its R largest values.

    Attributes
    ----------
    names
        What each is called.
    value : (D, R) float32
        Rank 0 first; equal ones by the smaller image id.
    image_id : (D, R) int64
    position : (D, R, 2) uint16
        y, x in the map.
    box : (D, R, 4) float32
        Receptive fields, x0, y0, x1, y1 in pixels of the original images, not clipped.
    duplicate : (D, R) bool
        Whether the network was given an earlier rank's input again.
    count_active : (D,) int64
        Images whose value is positive.
    purity : (D,) float64
        Class purity of the images shown; NaN where it has none.
    shown : (V,) int64
        Which of the D have patches, ascending.
    place : (V, K) int64
        The ranks that fill their places; -1 in an empty one.
    direction : (D, U) float32 or None
        Of length 1; None of units.
    variance : (D,) float64 or None
        The share of the total variance along each principal component; None of others.
    """

    names: tuple[str, ...]
    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]
    duplicate: NDArray[np.bool_]
    count_active: NDArray[np.int64]
    purity: NDArray[np.float64]
    shown: NDArray[np.int64]
    place: NDArray[np.int64]
    direction: NDArray[np.float32] | None = None
    variance: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Compared:
    """The class purity of units beside that of a kind of direction.

    Attributes
    ----------
    units, directions
        How many of each have a purity.
    units_mean, directions_mean
        Their means.
    effect
        Cliff's delta, -1 to 1: the probability that a unit is purer than a direction, less that of the
        reverse.
    p_value
        That the means differ so much either way where units and directions are dealt out at random.
    """

    units: int
    directions: int
    units_mean: float
    directions_mean: float
    effect: float
    p_value: float


@dataclass(frozen=True)
class DirectedLayer:
    """What is known of a layer besides its kinds.

    Attributes
    ----------
    geometry
        The layer's.
    units
        How many it has.
    ranked_by
        Whether values are of the layer's "output" or of its "input".
    components_of
        What its principal components are of: "means", "maxima" or "input maxima".
    compared
        Kind of direction to the comparison; empty without labels.
    """

    geometry: LayerGeometry
    units: int
    ranked_by: str
    components_of: str
    compared: Mapping[str, Compared]


@dataclass(frozen=True)
class Rotations:
    """Rotations between M pairs of linear layers, undone in the second of each.

    Attributes
    ----------
    first, activation, second
        Names of layers; the activation's is empty where none stands between.
    with_activation, without_activation : (M,) float64
        How much the logits change, relative to their norm; NaN where there is no such case.
    channels : (M,) int64
        The width of the space that was rotated.
    images
        That were forwarded.
    pairs
        That the network has.
    reason
        Why there are none; empty where there are.
    """

    first: tuple[str, ...]
    activation: tuple[str, ...]
    second: tuple[str, ...]
    with_activation: NDArray[np.float64]
    without_activation: NDArray[np.float64]
    channels: NDArray[np.int64]
    images: int
    pairs: int
    reason: str = ""


class DirectionsWriter:
    """Directions that are being written; made by `new_directions`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_layer(self, name: str, layer: DirectedLayer) -> None:
        """Write what is known of a layer, before its kinds."""
        about = {key: getattr(layer, key) for key in ("units", "ranked_by", "components_of")}
        self._file.set_attributes(name, layer.geometry.attributes() | about)
        for kind, compared in layer.compared.items():
            self._file.set_attributes(f"{name}/{kind}", vars(compared))

    def put_kind(self, layer: str, name: str, kind: Kind, patches: Patches) -> None:
        """Write a kind; its patches (V, K, …), which may lie on disk, are read a direction at a time."""
        group = f"{layer}/{name}"
        self._file.put_strings(f"{group}/name", kind.names)
        for array in (*_ARRAYS, *_OPTIONAL):
            values = getattr(kind, array)
            if values is not None:
                as_documented = values.astype(np.uint8) if array == "duplicate" else values
                self._file.put(f"{group}/{array}", as_documented)
        patches.put(self._file, group)

    def put_rotations(self, rotations: Rotations) -> None:
        """Write what rotations change."""
        about = {key: getattr(rotations, key) for key in ("images", "pairs", "reason")}
        self._file.set_attributes("rotation", about)
        for name in _PLACES:
            self._file.put_strings(f"rotation/{name}", getattr(rotations, name))
        for name in (*_ROTATIONS, "channels"):
            self._file.put(f"rotation/{name}", getattr(rotations, name))


@contextmanager
def new_directions(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[DirectionsWriter]:
    """Write directions; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "pillow", "torch")
    with store.write(
        path, stage="directions", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", vars(about))
        yield DirectionsWriter(file)


class DirectionsFile:
    """Open directions; made by `open_directions`.

    Attributes
    ----------
    about
        What was ranked.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), found["images"], found["k"], found["margin"], found["classes"],
            found["size"], pair(found["input_size"]),
        )  # fmt: skip

    def layer(self, name: str) -> DirectedLayer:
        """Read what is known of a layer."""
        found = self._file.attributes(name)
        compared = {}
        for kind in self.kinds(name):
            numbers = self._file.attributes(f"{name}/{kind}")
            if numbers:
                compared[kind] = Compared(**numbers)
        return DirectedLayer(
            read_geometry(found), found["units"], found["ranked_by"], found["components_of"], compared
        )

    def kinds(self, layer: str) -> list[str]:
        """Return the kinds that a layer has, units first."""
        return [kind for kind in KINDS if f"{layer}/{kind}/value" in self._file]

    def kind(self, layer: str, name: str) -> Kind:
        """Read a kind of a layer, but its patches."""
        group = f"{layer}/{name}"
        there = [array for array in (*_ARRAYS, *_OPTIONAL) if f"{group}/{array}" in self._file]
        arrays: dict[str, Any] = {array: self._file.get(f"{group}/{array}") for array in there}
        arrays["duplicate"] = arrays["duplicate"].astype(np.bool_)
        return Kind(tuple(self._file.strings(f"{group}/name")), **arrays)

    def patches(self, layer: str, kind: str, row: int) -> Patches:
        """Read the K patches of one that is shown, by its row among these."""
        return Patches.of_unit(self._file, f"{layer}/{kind}", row)

    def rotations(self) -> Rotations:
        """Read what rotations change."""
        about = self._file.attributes("rotation")
        found: dict[str, Any] = {name: tuple(self._file.strings(f"rotation/{name}")) for name in _PLACES}
        found |= {name: self._file.get(f"rotation/{name}") for name in (*_ROTATIONS, "channels")}
        return Rotations(**found, **{key: about[key] for key in ("images", "pairs", "reason")})


def open_directions(path: Path) -> AbstractContextManager[DirectionsFile | Status]:
    """Open directions, or return their status where there are none; errors as of `pipeline.store.read`."""
    return opened(path, VERSION, DirectionsFile)
