"""``activation_maps.h5``: the maps of a layer's units on the probes, and a few numbers of each map."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, read_geometry
from pipeline.formats.status import Status, mark, opened

VERSION = 1
_ARRAYS = ("unit", "scale", "sparsity", "localisation", "largest", "smallest")


@dataclass(frozen=True)
class MappedLayer:
    """V units of a layer on P probes.

    Attributes
    ----------
    geometry
        The layer's.
    units
        How many the layer has.
    unit : (V,) int64
        Those that are kept.
    scale : (V,) float32
        What each unit's maps were divided by: a power of two, 1 where float16 holds them as they are.
    sparsity : (P, V) float32
        Share of zeros in a map.
    localisation : (P, V) float32
        Share of a map's positive mass in its strongest tenth of positions; NaN where nothing is positive.
    largest, smallest : (P, V) float32
        Of a map's values.
    """

    geometry: LayerGeometry
    units: int
    unit: NDArray[np.int64]
    scale: NDArray[np.float32]
    sparsity: NDArray[np.float32]
    localisation: NDArray[np.float32]
    largest: NDArray[np.float32]
    smallest: NDArray[np.float32]


class ActivationMapsWriter:
    """Maps that are being written, layer by layer; made by `new_activation_maps`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_layer(self, name: str, layer: MappedLayer, maps: NDArray[np.float32]) -> None:
        """Write a layer; its maps (P, V, h, w), as activations, may lie on disk: they are read one by one."""
        self._file.set_attributes(name, layer.geometry.attributes() | {"units": layer.units})
        for array in _ARRAYS:
            self._file.put(f"{name}/{array}", getattr(layer, array))
        dataset = self._file.allocate(f"{name}/map", maps.shape, np.float16)
        largest = np.finfo(np.float16).max
        for probe, of_units in enumerate(maps):
            dataset[probe] = np.clip(of_units / layer.scale[:, None, None], -largest, largest)
        dataset.flush()


@contextmanager
def new_activation_maps(
    path: Path, layers: tuple[str, ...], image_id: NDArray[np.int64], *, made_from: Mapping[str, str]
) -> Iterator[ActivationMapsWriter]:
    """Write maps.

    Parameters
    ----------
    path
        The artifact.
    layers
        In the network's order.
    image_id
        (P,) the probes, in their order.
    made_from
        As of `pipeline.store.write`.
    """
    versions = ("numpy", "torch", "pillow")
    with store.write(
        path, stage="activation_maps", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", {"layers": layers})
        file.put("image_id", image_id)
        yield ActivationMapsWriter(file)


class ActivationMapsFile:
    """Open maps; made by `open_activation_maps`.

    Attributes
    ----------
    layers
        In the network's order.
    image_id
        (P,) int64, the probes.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        self.layers: tuple[str, ...] = tuple(file.attributes()["layers"])
        self.image_id: NDArray[np.int64] = file.get("image_id")

    def layer(self, name: str) -> MappedLayer:
        """Read all of a layer but its maps."""
        found = self._file.attributes(name)
        arrays = {array: self._file.get(f"{name}/{array}") for array in _ARRAYS}
        return MappedLayer(read_geometry(found), int(found["units"]), **arrays)

    def maps(self, layer: str, probe: int) -> NDArray[np.float32]:
        """Read the maps (V, h, w) of one probe, by its place, as activations."""
        maps = self._file.get(f"{layer}/map", slice(probe, probe + 1))[0]
        scale = self._file.get(f"{layer}/scale")
        return maps.astype(np.float32) * scale[:, None, None]


def open_activation_maps(path: Path) -> AbstractContextManager[ActivationMapsFile | Status]:
    """Open maps, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, ActivationMapsFile)
