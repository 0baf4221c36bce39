"""``units.h5``: what each unit does over the whole dataset, written and read a layer at a time."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, read_geometry
from pipeline.formats.status import Status, mark, opened

VERSION = 1
_ALWAYS = (
    "smallest", "largest", "active", "quantiles", "histogram", "low", "high", "top_image_id",
)  # fmt: skip
_STATES = ("dead", "nearly_dead", "saturated")
# Where the extraction kept them, where the function is bounded, where images have labels.
_OPTIONAL = ("apoz", "largest_before", "at_top", "at_bottom", "selectivity", "selectivity_by_chance", "class")
_FIELDS = {"class": "label"}


@dataclass(frozen=True)
class About:
    """What was looked at.

    Attributes
    ----------
    layers
        In the network's order.
    images
        How many.
    labelled, classes
        Images with a label, and how many classes they are of.
    precision
        What the network computed in.
    activity
        What selectivity is of: "means" over positions, or "maxima".
    quantile
        The Q shares.
    nearly_dead
        Share of the images below which a unit that is positive is nearly dead.
    saturated_from
        Share of the images from which a unit at an end of its function is saturated.
    """

    layers: tuple[str, ...]
    images: int
    labelled: int
    classes: int
    precision: str
    activity: str
    quantile: tuple[float, ...]
    nearly_dead: float
    saturated_from: float


@dataclass(frozen=True)
class LayerUnits:
    """A layer's U units.

    Attributes
    ----------
    geometry
        The layer's.
    ranked_by
        "input" where the layer is bounded above, else "output".
    images
        How many were seen.
    function
        Of a bounded layer, as it was recognised from what enters and leaves it; empty where it was not.
    top, bottom
        The outputs from which on that is flat; infinite where it is not, or not known.
    smallest, largest : (U,) float32
        Of the maxima, the largest output on each image.
    active : (U,) int64
        Images with a positive maximum.
    quantiles : (U, Q) float32
        Of the maxima.
    histogram : (U, B) int64
        Images by what they are ranked by, in bins of equal width from `low` to `high`; a bin has its lower
        edge, and the last one both.
    low, high : (U,) float32
        The smallest and the largest of what the images are ranked by.
    top_image_id : (U, T) int64
        The images of the largest maxima, rank 0 first; -1 where the unit is positive on fewer.
    dead, nearly_dead, saturated : (U,) bool
    outputs
        Images times positions, a unit; None where statistics were not kept.
    apoz : (U,) float64 or None
        Share of the outputs that are zero.
    largest_before : (U,) float32 or None
        Largest pre-activation, where the layer is an activation function.
    at_top, at_bottom : (U,) int64 or None
        Of a layer whose function was recognised: images whose maximum lies at its ends.
    selectivity, selectivity_by_chance : (U,) float32 or None
        With the labels, and with the same labels shuffled; NaN where there is none.
    label : (U,) int32 or None
        The class for which the unit stands out; -1 where there is none.
    """

    geometry: LayerGeometry
    ranked_by: str
    images: int
    function: str
    top: float
    bottom: float
    smallest: NDArray[np.float32]
    largest: NDArray[np.float32]
    active: NDArray[np.int64]
    quantiles: NDArray[np.float32]
    histogram: NDArray[np.int64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    top_image_id: NDArray[np.int64]
    dead: NDArray[np.bool_]
    nearly_dead: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    outputs: int | None = None
    apoz: NDArray[np.float64] | None = None
    largest_before: NDArray[np.float32] | None = None
    at_top: NDArray[np.int64] | None = None
    at_bottom: NDArray[np.int64] | None = None
    selectivity: NDArray[np.float32] | None = None
    selectivity_by_chance: NDArray[np.float32] | None = None
    label: NDArray[np.int32] | None = None


def write_units(
    path: Path, about: About, layers: Iterable[LayerUnits], *, made_from: Mapping[str, str]
) -> None:
    """Write what units do.

    Parameters
    ----------
    path
        The artifact.
    about
        What was looked at.
    layers
        In the order of `about.layers`; one is in memory at a time.
    made_from
        As of `pipeline.store.write`.
    """
    versions = ("numpy", "scipy")
    with store.write(path, stage="units", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        known = {name: value for name, value in vars(about).items() if name != "quantile"}
        file.set_attributes("", known)
        file.put("quantile", np.array(about.quantile, np.float64))
        for name, layer in zip(about.layers, layers, strict=True):
            _put(file, name, layer)


def _put(file: store.Writer, name: str, layer: LayerUnits) -> None:
    names = ("ranked_by", "function", "top", "bottom")
    file.set_attributes(name, layer.geometry.attributes() | {one: getattr(layer, one) for one in names})
    file.put(f"{name}/images", np.array(layer.images, np.int64))
    if layer.outputs is not None:
        file.put(f"{name}/outputs", np.array(layer.outputs, np.int64))
    for array in _ALWAYS + _STATES:
        file.put(f"{name}/{array}", getattr(layer, array))
    for array in _OPTIONAL:
        values = getattr(layer, _FIELDS.get(array, array))
        if values is not None:
            file.put(f"{name}/{array}", values)


class UnitsFile:
    """What units do, open; made by `open_units`.

    Attributes
    ----------
    about
        What was looked at.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        quantile = tuple(file.get("quantile").tolist())
        self.about = About(
            tuple(found["layers"]), found["images"], found["labelled"], found["classes"], found["precision"],
            found["activity"], quantile, found["nearly_dead"], found["saturated_from"],
        )  # fmt: skip

    def layer(self, name: str) -> LayerUnits:
        """Read a layer."""
        file, found = self._file, self._file.attributes(name)
        arrays: dict[str, Any] = {array: file.get(f"{name}/{array}") for array in _ALWAYS}
        arrays |= {state: file.get(f"{name}/{state}").astype(np.bool_) for state in _STATES}
        for array in _OPTIONAL:
            if f"{name}/{array}" in file:
                arrays[_FIELDS.get(array, array)] = file.get(f"{name}/{array}")
        outputs = int(file.get(f"{name}/outputs")) if f"{name}/outputs" in file else None
        return LayerUnits(
            read_geometry(found), found["ranked_by"], int(file.get(f"{name}/images")), found["function"],
            found["top"], found["bottom"], outputs=outputs, **arrays,
        )  # fmt: skip


def open_units(path: Path) -> AbstractContextManager[UnitsFile | Status]:
    """Open what units do, or find out why it is not known; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, UnitsFile)
