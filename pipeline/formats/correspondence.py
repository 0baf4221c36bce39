"""``correspondence.h5``: places of the probes, found again in their warps by the vectors of some layers."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair

VERSION = 1
# Rows of what is said of points: all of them, and those whose field lies in both views.
ALL, INTERIOR = 0, 1
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Matched:
    """What came of K points; estimates (…, 3) are a value and its 95 % interval, NaN where there is none.

    Attributes
    ----------
    error : (K,) float32
        Distance of what was found from the true place, pixels; a mean where several neurons tie.
    hit : (K,) float32
        Whether that is within the radius; a share where several tie.
    place : (K, 2) float32
        Where it was found, the first of those that tie.
    tied : (K,) int32
        Neurons that are equally similar.
    interior : (K,) bool
        Whether all that the point's vector and its true place see lies in both views.
    pck, median : (2, 3) float64
        Share of points that are right, and median error; of all points, and of interior ones.
    """

    error: Float32
    hit: Float32
    place: Float32
    tied: NDArray[np.int32]
    interior: NDArray[np.bool_]
    pck: Float64
    median: Float64


@dataclass(frozen=True)
class Held:
    """What a layer's matches are held against.

    Attributes
    ----------
    floor, field_error : (K,) float32
        Distance of the true place from the nearest neuron; mean one from the neurons whose field holds it.
    chance_error, chance_hit : (K,) float32
        Of a neuron that is taken at random.
    random_error, random_hit : (R, K) float32
        Of the layer in R networks with random weights.
    random_pck, random_median : (3,) float64
        Estimates, over all points and networks.
    over_random, over_staying : (3,) float64
        How much larger the share of right points is than with random weights, and than for whoever takes the
        place that the point had in the image.
    over_patches : (B, 3) float64
        The same against patches of pixels, of each side.
    over_field : (3,) float64
        How much smaller the median error is than that of `field_error`.
    """

    floor: Float32
    field_error: Float32
    chance_error: Float32
    chance_hit: Float32
    random_error: Float32
    random_hit: Float32
    random_pck: Float64
    random_median: Float64
    over_random: Float64
    over_staying: Float64
    over_patches: Float64
    over_field: Float64


@dataclass(frozen=True)
class PlacedLayer:
    """A layer: its units, where its neurons look, what was found, and what that is held against."""

    units: int
    geometry: LayerGeometry
    matched: Matched
    held: Held


@dataclass(frozen=True)
class About:
    """What is common to all layers.

    Attributes
    ----------
    layers
        In the network's order.
    patches
        Sides of the patches of pixels, ascending.
    without_place
        Layers that were asked for and whose neurons have no place, and why: "one position" or "whole image".
    input_size
        Height and width of the network's input, pixels.
    radius
        How far a point that is right is from its true place at most, pixels.
    share
        The radius, as a share of the input's longer side.
    rotation, scale, translation
        What warps were drawn from: degrees either way, from and to, share of the sides either way.
    networks
        How many with random weights (R).
    """

    layers: tuple[str, ...]
    patches: tuple[int, ...]
    without_place: Mapping[str, str]
    input_size: Pair
    radius: float
    share: float
    rotation: float
    scale: tuple[float, float]
    translation: float
    networks: int


@dataclass(frozen=True)
class Views:
    """P images, W warps of each, N points of each warp; K = P·W·N points in this order.

    Attributes
    ----------
    image_id : (P,) int64
        The probes, in their order.
    warp : (P, W, 2, 3) float64
        Takes (y, x, 1) of the image to (y, x) of its warp, pixels; the first reaches from 0 to 1.
    picture : (P, W, H, W, C) uint8
        The warped images.
    point, true : (K, 2) float64
        Points of the images, and their places in the warps.
    """

    image_id: NDArray[np.int64]
    warp: Float64
    picture: NDArray[np.uint8]
    point: Float64
    true: Float64

    def points_of(self, probe: int, warp: int) -> slice:
        """Return where the points of a probe's warp stand among all."""
        images, warps = self.warp.shape[:2]
        each = len(self.point) // (images * warps)
        start = (probe * warps + warp) * each
        return slice(start, start + each)


class CorrespondenceWriter:
    """Matches that are being written; made by `new_correspondence`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_layer(self, name: str, layer: PlacedLayer) -> None:
        """Write a layer."""
        self._file.set_attributes(name, {"units": layer.units, **layer.geometry.attributes()})
        self._put(name, layer.matched)
        self._put(name, layer.held)

    def put_patches(self, side: int, matched: Matched) -> None:
        """Write what came of patches of a side."""
        self._put(f"patches/{side}", matched)

    def _put(self, group: str, found: Matched | Held) -> None:
        for name in _names(type(found)):
            values = getattr(found, name)
            self._file.put(f"{group}/{name}", values.astype(np.uint8) if name == "interior" else values)


@contextmanager
def new_correspondence(
    path: Path, about: About, views: Views, *, made_from: Mapping[str, str]
) -> Iterator[CorrespondenceWriter]:
    """Write matches; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "torch")
    with store.write(
        path, stage="correspondence", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        values = {name: getattr(about, name) for name in _names(About)}
        values["without_place"] = tuple(about.without_place)
        values["patches"] = np.array(about.patches, np.int64)
        file.set_attributes("", values | {"why_without": tuple(about.without_place.values())})
        for name in _names(Views):
            file.put(name, getattr(views, name))
        yield CorrespondenceWriter(file)


class CorrespondenceFile:
    """Open matches; made by `open_correspondence`.

    Attributes
    ----------
    about
        What is common to all layers.
    views
        Images, warps and points.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        found["without_place"] = dict(zip(found["without_place"], found["why_without"], strict=True))
        found |= {
            "layers": tuple(found["layers"]), "patches": tuple(map(int, found["patches"])),
            "input_size": pair(found["input_size"]), "scale": tuple(map(float, found["scale"])),
            "networks": int(found["networks"]),
        }  # fmt: skip
        self.about = About(**{name: found[name] for name in _names(About)})
        self.views = Views(**{name: file.get(name) for name in _names(Views)})

    def layer(self, name: str) -> PlacedLayer:
        """Read a layer."""
        attributes = self._file.attributes(name)
        held: Held = self._read(name, Held)
        return PlacedLayer(int(attributes["units"]), read_geometry(attributes), self._matched(name), held)

    def patches(self, side: int) -> Matched:
        """Read what came of patches of a side."""
        return self._matched(f"patches/{side}")

    def _matched(self, group: str) -> Matched:
        found: dict[str, Any] = {name: self._file.get(f"{group}/{name}") for name in _names(Matched)}
        return Matched(**found | {"interior": found["interior"].astype(np.bool_)})

    def _read(self, group: str, kind: Any) -> Any:
        return kind(**{name: self._file.get(f"{group}/{name}") for name in _names(kind)})


def open_correspondence(path: Path) -> AbstractContextManager[CorrespondenceFile | Status]:
    """Open matches, or why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, CorrespondenceFile)


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]
