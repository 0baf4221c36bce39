"""Keep the maps of first and last convolution, or of other layers, on the probes."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.analyses.outlines.winners import scales
from pipeline.analyses.patches.choosing import choose_units
from pipeline.dataset.originals import none_readable, originals
from pipeline.formats.activation_maps import VERSION, MappedLayer, new_activation_maps
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.manifest import open_manifest
from pipeline.formats.probes import Probes
from pipeline.formats.status import Status
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from pipeline.layers.layers import Layer, describe_layers
from pipeline.layers.observer import Observer
from pipeline.layers.selection import mapped_layers
from pipeline.model.device import choose_device, device_and_dtype, place_inputs, place_network
from pipeline.model.network import load_network
from pipeline.numerics.maps import localisation, sparsity
from pipeline.numerics.scratch import on_disk
from pipeline.parallel.processes import count_workers
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.activation_maps import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

NO_MAPS = Status(
    "not applicable",
    "the network has no convolution whose output is a map of more than one position",
)
REMEDY = "lower activation_maps.units or activation_maps.probes, or set activation_maps.run: false"


@dataclass(frozen=True)
class Room:
    """Where a layer's maps go: (P, V, h, w) float32, on disk, of the units (V,) that are kept."""

    layer: Layer
    unit: NDArray[np.int64]
    maps: NDArray[np.float32]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/activation_maps.h5` and its metrics.

    Raises
    ------
    UserError
        A layer is not there, no probe can be read, or the disk has no room.
    """
    begun = begin(params, paths, stage="activation_maps", version=VERSION, read=("manifest", "probes"))
    if begun is None:
        return
    network = place_network(load_network(paths["weights"]), choose_device())
    layers = _layers(network, begun.preprocessing, params)
    if not layers:
        leave(NO_MAPS, paths, stage="activation_maps", version=VERSION, made_from=begun.made_from)
        return
    shown = begun.probes.take(range(min(len(begun.probes), params.probes)))
    with open_manifest(paths["manifest"]) as manifest:
        images = originals(manifest, shown.image_id)
    with _rooms(layers, len(shown), params, paths["out"].parent) as rooms:
        batches = Batches(images, begun.preprocessing, params.batch_size, threads=count_workers())
        read = _forward(network, rooms, shown, batches)
        found = _write(paths["out"], rooms, shown.image_id, read, begun.made_from)
    write_metrics(paths["metrics"], {"images": int(read.sum()), **_numbers(found)})


def _layers(network: nn.Module, preprocessing: Preprocessing, params: Params) -> tuple[Layer, ...]:
    layers = describe_layers(network, preprocessing.input_size, preprocessing.channels)
    return mapped_layers(layers, params.layers, "activation_maps.layers")


@contextmanager
def _rooms(layers: Sequence[Layer], probes: int, params: Params, folder: Path) -> Iterator[list[Room]]:
    """Hold room for the maps of all layers, and say how much that is."""
    units = [choose_units(params.units, one.units, one.name, params.seed).astype(np.int64) for one in layers]
    shapes = [(probes, len(kept), *one.map_size) for one, kept in zip(layers, units, strict=True)]
    ends = np.cumsum([prod(shape) for shape in shapes]).tolist()
    log.info("%d probes to forward; maps of %.1f MB before compression", probes, ends[-1] * 2 / 1e6)
    folder.mkdir(parents=True, exist_ok=True)
    with on_disk(folder, (ends[-1],), np.float32, remedy=REMEDY) as space:
        parts = np.split(space, ends[:-1])
        yield [
            Room(layer, kept, part.reshape(shape))
            for layer, kept, part, shape in zip(layers, units, parts, shapes, strict=True)
        ]


def _forward(
    network: nn.Module, rooms: Sequence[Room], probes: Probes, batches: Batches
) -> NDArray[np.bool_]:
    """Fill the rooms; return (P,) which probes could be read.

    Raises
    ------
    UserError
        If none could.
    """
    by_name = {room.layer.name: room for room in rooms}
    observer, place = Observer(network, by_name), device_and_dtype(network)
    row = {image_id: row for row, image_id in enumerate(probes.image_id.tolist())}
    with progress("mapping", total=len(probes), unit="images") as bar:
        for batch in batches:
            rows = [row[image_id] for image_id in batch.image_id]

            def keep(name: str, value: Tensor, rows: Sequence[int] = rows) -> None:
                room = by_name[name]
                units = torch.as_tensor(room.unit, device=value.device)
                room.maps[rows] = value.index_select(1, units).float().cpu().numpy()

            with torch.inference_mode():
                observer.forward(place_inputs(batch.inputs, *place), keep)
            bar.advance(len(rows))
    for image_id, error in batches.skipped:
        log.warning("image %d cannot be read any more: %s", image_id, error)
    if not batches.kept:
        raise none_readable("activation_maps", len(probes), "probes")
    return np.isin(probes.image_id, batches.kept)


def _write(
    path: Path,
    rooms: Sequence[Room],
    image_id: NDArray[np.int64],
    read: NDArray[np.bool_],
    made_from: Mapping[str, str],
) -> dict[str, MappedLayer]:
    """Write the maps of the probes that could be read; return what is said of each layer's."""
    found, names = {}, tuple(room.layer.name for room in rooms)
    with new_activation_maps(path, names, image_id[read], made_from=made_from) as writer:
        for room in rooms:
            maps = room.maps if read.all() else room.maps[read]
            layer = found[room.layer.name] = _mapped(room, maps)
            writer.put_layer(room.layer.name, layer, maps)
    return found


def _mapped(room: Room, maps: NDArray[np.float32]) -> MappedLayer:
    """Return what is said of a layer's maps, found a probe at a time."""
    numbers = [(sparsity(one), localisation(one), one.max((1, 2)), one.min((1, 2))) for one in maps]
    zeros, local, largest, smallest = (np.stack(column) for column in zip(*numbers, strict=True))
    geometry = LayerGeometry(room.layer.map_size, room.layer.receptive_field)
    scale = scales(np.maximum(largest.max(0), -smallest.min(0)))
    return MappedLayer(geometry, room.layer.units, room.unit, scale, zeros, local, largest, smallest)


def _numbers(layers: Mapping[str, MappedLayer]) -> dict[str, dict[str, float]]:
    """Return means over all maps of each layer; localisation over those with something positive."""
    active = {name: layer.localisation[~np.isnan(layer.localisation)] for name, layer in layers.items()}
    return {
        "sparsity": {name: float(layer.sparsity.mean(dtype=np.float64)) for name, layer in layers.items()},
        "localisation": {
            name: float(found.mean(dtype=np.float64)) for name, found in active.items() if len(found)
        },
    }


STAGE = Stage(
    name="activation_maps",
    run=run,
    params=Params,
    block="activation_maps",
    inputs={
        "probes": "artifacts/probes.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/activation_maps.h5", "metrics": "metrics/activation_maps.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
