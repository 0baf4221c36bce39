"""``projections.h5``: what of their strongest images made units answer; read a unit at a time."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, opened

VERSION = 1


@dataclass(frozen=True)
class About:
    """What was projected.

    Attributes
    ----------
    layers
        Those that have projections, in the network's order.
    methods
        "deconvnet", "guided_backprop", or one of them.
    k
        Places of a unit.
    refused
        Layer to why it has none.
    comparison
        Method to (L + 1, 3, 3) float64: of each of the L layers, then of all together; how alike projections
        are of two units on one image, of one unit on two images, and the difference of the two; mean over
        units, low and high end of its 95 % bootstrap interval, NaN where there is none.
    """

    layers: tuple[str, ...]
    methods: tuple[str, ...]
    k: int
    refused: Mapping[str, str]
    comparison: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class ProjectedUnit:
    """A unit's projections in its k places.

    Attributes
    ----------
    image_id : (k,) int64
        -1 in a place that has none.
    extent : (k, 2) uint16
        Rows and columns of a projection; 0 in an empty place.
    other : (k,) int64
        Another unit that is active at the same place; -1 where none is.
    maps, others
        Method to (k, S, S, C) and (S, S, C) float16: the unit's projections, and that of the other unit in
        the first place, each divided by its largest magnitude; 0 beyond `extent`.
    largest
        Method to (k,) float32: that magnitude.
    alike, across
        Method to (k,) float32: how alike a projection is to the other unit's on the same image, and to
        the unit's own on the image of the next place; NaN where one of them is lacking.
    """

    image_id: NDArray[np.int64]
    extent: NDArray[np.uint16]
    other: NDArray[np.int64]
    maps: Mapping[str, NDArray[np.float16]]
    others: Mapping[str, NDArray[np.float16]]
    largest: Mapping[str, NDArray[np.float32]]
    alike: Mapping[str, NDArray[np.float32]]
    across: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ProjectedLayer:
    """What stands of a layer beside its projections, V units of k places; arrays as in `ProjectedUnit`.

    Attributes
    ----------
    unit : (V,) int64
        Ascending.
    image_id, other : (V, k) int64
    largest, alike, across
        Method to (V, k) float32.
    """

    unit: NDArray[np.int64]
    image_id: NDArray[np.int64]
    other: NDArray[np.int64]
    largest: Mapping[str, NDArray[np.float32]]
    alike: Mapping[str, NDArray[np.float32]]
    across: Mapping[str, NDArray[np.float32]]


_PLAIN = ("image_id", "extent", "other")
_OF_METHOD = ("others", "largest", "alike", "across")


class ProjectionsWriter:
    """Projections that are being written, layer by layer; made by `new_projections`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file
        self._layers: list[str] = []

    def put_layer(self, name: str, unit: NDArray[np.int64], units: Iterator[ProjectedUnit]) -> ProjectedLayer:
        """Write the projections of some units, each as it comes, and return what stands beside them."""
        open_datasets: dict[str, Any] = {}
        kept: dict[str, list[np.ndarray]] = {}
        for row, found in enumerate(units):
            for method, maps in found.maps.items():
                path = f"{name}/{method}"
                if not row:
                    open_datasets[path] = self._file.allocate(path, (len(unit), *maps.shape), np.float16)
                open_datasets[path][row] = maps
            for path, values in _arrays(found):
                kept.setdefault(path, []).append(values)
        for dataset in open_datasets.values():
            dataset.flush()
        small = {path: np.stack(rows) for path, rows in kept.items()}
        for path, values in {"unit": unit, **small}.items():
            self._file.put(f"{name}/{path}", values)
        self._layers.append(name)
        largest, alike, across = (
            {path.partition("/")[2]: values for path, values in small.items() if path.startswith(f"{kind}/")}
            for kind in ("largest", "alike", "across")
        )
        return ProjectedLayer(unit, small["image_id"], small["other"], largest, alike, across)

    def put_comparison(self, method: str, comparison: NDArray[np.float64]) -> None:
        """Write (L + 1, 3, 3): of each layer that has projections, then of all together, as in `About`."""
        self._file.put(f"comparison/{method}", comparison)

    def put_about(self, methods: tuple[str, ...], k: int, refused: Mapping[str, str]) -> None:
        """Write what was projected: methods, places of a unit, and of each layer without any, why."""
        self._file.set_attributes("", {
            "layers": self._layers, "methods": list(methods), "k": k,
            "refused": list(refused), "refused_reason": list(refused.values()),
        })  # fmt: skip


@contextmanager
def new_projections(path: Path, *, made_from: Mapping[str, str]) -> Iterator[ProjectionsWriter]:
    """Write projections; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "torch", "pillow")
    with store.write(
        path, stage="projections", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        yield ProjectionsWriter(file)


class ProjectionsFile:
    """Open projections; made by `open_projections`.

    Attributes
    ----------
    about
        What was projected.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        refused = dict(zip(found["refused"], found["refused_reason"], strict=True))
        methods = tuple(found["methods"])
        comparison = {method: file.get(f"comparison/{method}") for method in methods}
        self.about = About(tuple(found["layers"]), methods, found["k"], refused, comparison)

    def layer(self, name: str) -> ProjectedLayer:
        """Read all of a layer but its projections."""
        unit, image_id, other = (self._file.get(f"{name}/{one}") for one in ("unit", "image_id", "other"))
        beside = (self._of_methods(name, one) for one in ("largest", "alike", "across"))
        return ProjectedLayer(unit, image_id, other, *beside)

    def unit(self, layer: str, row: int) -> ProjectedUnit:
        """Read the unit in this row of a layer's arrays."""
        here = slice(row, row + 1)
        arrays: dict[str, Any] = {one: self._file.get(f"{layer}/{one}", here)[0] for one in _PLAIN}
        for one in _OF_METHOD:
            found = self._of_methods(layer, one, here)
            arrays[one] = {method: values[0] for method, values in found.items()}
        maps = {method: self._file.get(f"{layer}/{method}", here)[0] for method in self.about.methods}
        return ProjectedUnit(maps=maps, **arrays)

    def _of_methods(
        self, layer: str, array: str, here: slice | None = None
    ) -> dict[str, NDArray[np.float32]]:
        return {method: self._file.get(f"{layer}/{array}/{method}", here) for method in self.about.methods}


def open_projections(path: Path) -> AbstractContextManager[ProjectionsFile | Status]:
    """Open projections, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, ProjectionsFile)


def _arrays(unit: ProjectedUnit) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what is small, by its place below the layer."""
    for array in (one.name for one in fields(unit) if one.name in _PLAIN):
        yield array, getattr(unit, array)
    for array in _OF_METHOD:
        for method, values in getattr(unit, array).items():
            yield f"{array}/{method}", values
