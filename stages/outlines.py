"""Keep where, on the images that excite it most, each drawn unit is active, and its level."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline import store
from pipeline.analyses.outlines.levels import Tail, levels
from pipeline.analyses.outlines.winners import WinnerMaps, scales
from pipeline.dataset.originals import Originals, originals
from pipeline.errors import UserError
from pipeline.formats.activations import INPUT
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.outlines import VERSION, About, OutlinedLayer, OutlinesWriter, new_outlines
from pipeline.formats.patches import DrawnLayer, open_patches
from pipeline.formats.status import not_run
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batch, Batches
from pipeline.layers.layers import describe_layers
from pipeline.layers.observer import Observer
from pipeline.model.device import choose_device, device_and_dtype, place_inputs, place_network
from pipeline.model.network import load_network
from pipeline.numerics.geometry import GLOBAL, ReceptiveField
from pipeline.numerics.scratch import on_disk
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.receptive_field.fields import receptive_fields
from pipeline.store.metrics import write_metrics
from pipeline.topk.boxes import image_boxes
from stages.blocks.outlines import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Gathering:
    """What is being gathered of one layer.

    Attributes
    ----------
    drawn
        Its units and their winners.
    maps, scale
        (V, K, h, w) float16, on disk: the winners' maps, each unit's divided by its scale, (V,).
    winners, tail
        What fills them, and what the levels are found by.
    """

    drawn: DrawnLayer
    maps: NDArray[np.float16]
    scale: NDArray[np.float32]
    winners: WinnerMaps
    tail: Tail


@dataclass(frozen=True)
class Gatherer:
    """Takes what is wanted out of one batch, of which the `sampled` images count for levels.

    `gathered` has, by each layer that is looked at, what is gathered there: of a bounded layer that is where
    its input is computed.
    """

    gathered: Mapping[str, Sequence[Gathering]]
    batch: Batch
    sampled: NDArray[np.bool_]

    def visit(self, name: str, value: Tensor) -> None:
        """Take it out of a layer's output."""
        for one in self.gathered[name]:
            self._take(one, value)

    def _take(self, one: Gathering, value: Tensor) -> None:
        units = torch.as_tensor(one.drawn.unit, device=value.device)
        chosen = value.index_select(1, units).float().cpu().numpy()
        maps = chosen.reshape(*chosen.shape[:2], *one.maps.shape[2:])
        one.winners.add(self.batch.image_id, maps)
        one.tail.add(maps[self.sampled].swapaxes(0, 1).reshape(len(units), -1))


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/outlines.h5` and its metrics.

    Raises
    ------
    UserError
        If no image can be read, or the disk has no room.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        status = not_run("outlines")
        leave(status, paths, stage="outlines", version=VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "patches")}
    made_from["weights"] = description.digest
    with open_patches(paths["patches"]) as patches:
        drawn = {name: patches.layer(name) for name in patches.about.layers}
    paths["out"].parent.mkdir(parents=True, exist_ok=True)
    with open_manifest(paths["manifest"]) as manifest, _room(paths["out"].parent, drawn) as room:
        sample = _sample(len(manifest), params)
        gathered = _gatherings(drawn, len(sample), room)
        images = originals(manifest, np.union1d(_images_of(drawn.values()), sample))
        _announce(images, sample, room)
        network = place_network(load_network(paths["weights"]), choose_device())
        batches = Batches(images, description.preprocessing, params.batch_size, threads=count_workers())
        looked_at = _looked_at(network, gathered, description.preprocessing)
        _forward(network, looked_at, batches, sample, len(images.image_id))
        read = int(np.isin(batches.kept, sample).sum())
        about = About(tuple(drawn), read, description.preprocessing.input_size)
        ungated = _ungated(network, drawn, description.preprocessing)
        with new_outlines(paths["out"], about, made_from=made_from) as writer:
            _put_images(writer, manifest, gathered, description.preprocessing)
            counts = [_put_layer(writer, name, one, ungated.get(name)) for name, one in gathered.items()]
    write_metrics(paths["metrics"], {"sample": read, **_totals(counts)})


def _room(folder: Path, drawn: Mapping[str, DrawnLayer]) -> AbstractContextManager[np.ndarray]:
    """Hold room for the maps of all layers, (n,) float16."""
    numbers = sum(layer.image_id.size * prod(layer.geometry.map_size) for layer in drawn.values())
    remedy = "lower patches.units or topk.k, or set outlines.run: false"
    return on_disk(folder, (numbers,), np.float16, remedy=remedy)


def _sample(images: int, params: Params) -> Ids:
    """Return the images that the levels are taken on, ascending."""
    chosen = np.random.default_rng(params.seed).choice(images, min(params.sample, images), replace=False)
    return np.sort(chosen).astype(np.int64)


def _gatherings(drawn: Mapping[str, DrawnLayer], sample: int, room: np.ndarray) -> dict[str, Gathering]:
    """Divide the room among the layers."""
    gathered, start = {}, 0
    for name, layer in drawn.items():
        shape, positions = (*layer.image_id.shape, *layer.geometry.map_size), prod(layer.geometry.map_size)
        maps = room[start : start + prod(shape)].reshape(shape)
        tail = Tail(len(layer.unit), sample * positions)
        scale = scales(layer.key.max(1))
        gathered[name] = Gathering(layer, maps, scale, WinnerMaps(layer.image_id, maps, scale), tail)
        start += prod(shape)
    return gathered


def _images_of(layers: Iterable[DrawnLayer]) -> Ids:
    """Return the images that are in any place, ascending, each once."""
    shown = np.unique(np.concatenate([layer.image_id.ravel() for layer in layers]))
    return shown[shown >= 0]


def _announce(images: Originals, sample: Ids, room: np.ndarray) -> None:
    log.info(
        "%d images to forward, %d of them for the levels; maps of %.1f MB before compression",
        len(images.image_id), len(sample), room.nbytes / 1e6,
    )  # fmt: skip


def _looked_at(
    network: nn.Module, gathered: Mapping[str, Gathering], preprocessing: Preprocessing
) -> dict[str, list[Gathering]]:
    """Return what is gathered by the layer whose output it is: of a bounded layer the one before."""
    before: dict[str, str | None] = {}
    if any(one.drawn.ranked_by == INPUT for one in gathered.values()):
        layers = describe_layers(network, preprocessing.input_size, preprocessing.channels)
        before = {layer.name: layer.before for layer in layers}
    found: dict[str, list[Gathering]] = {}
    for name, one in gathered.items():
        source = before[name] if one.drawn.ranked_by == INPUT else name
        assert source is not None, "ranked by the input of a layer that has none"
        found.setdefault(source, []).append(one)
    return found


def _forward(
    network: nn.Module,
    gathered: Mapping[str, Sequence[Gathering]],
    batches: Batches,
    sample: Ids,
    images: int,
) -> None:
    """Forward every image once, all layers together.

    Raises
    ------
    UserError
        If none can be read.
    """
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    observer, place = Observer(network, gathered), device_and_dtype(network)
    with progress("outlining", total=images, unit="images") as bar:
        for batch in batches:
            gatherer = Gatherer(gathered, batch, np.isin(batch.image_id, sample))
            with torch.inference_mode():
                observer.forward(place_inputs(batch.inputs, *place), gatherer.visit)
            bar.advance(len(batch.image_id))
    for image_id, error in batches.skipped:
        log.warning("image %d cannot be read any more: %s", image_id, error)
    if not batches.kept:
        raise UserError(
            f"outlines: none of {images} images can be read any more; run the manifest stage again"
        )


def _ungated(
    network: nn.Module, drawn: Mapping[str, DrawnLayer], preprocessing: Preprocessing
) -> dict[str, ReceptiveField]:
    """Return the fields without gates of maps of which, with gates, every neuron sees the whole image."""
    geometry = {name: layer.geometry for name, layer in drawn.items()}
    whole = [
        name for name, one in geometry.items()
        if one.receptive_field.status == GLOBAL and one.map_size != (1, 1)
    ]  # fmt: skip
    if not whole:
        return {}
    fields = receptive_fields(network, preprocessing.input_size, preprocessing.channels, gates=False)
    return {name: fields[name] for name in whole if name in fields and not fields[name].is_whole}


def _put_images(
    writer: OutlinesWriter,
    manifest: ManifestFile,
    gathered: Mapping[str, Gathering],
    preprocessing: Preprocessing,
) -> None:
    """Write where the network's input lies in each image that has a map."""
    found = np.concatenate([one.drawn.image_id[one.winners.found] for one in gathered.values()])
    image_id, (width, height) = np.unique(found), manifest.size()
    rows, columns = preprocessing.input_size
    boxes = np.broadcast_to(np.array([0, 0, columns, rows], np.float64), (len(image_id), 4))
    writer.put_images(image_id, image_boxes(boxes, width[image_id], height[image_id], preprocessing))


def _put_layer(
    writer: OutlinesWriter, name: str, one: Gathering, ungated: ReceptiveField | None
) -> dict[str, int]:
    """Write a layer; return what is counted of it where it has more positions than one."""
    level, half = levels(one.tail.level(), one.winners.largest)
    image_id = np.where(one.winners.found, one.drawn.image_id, -1)
    drawn = one.drawn
    layer = OutlinedLayer(
        drawn.geometry, ungated, drawn.ranked_by, level, half, one.scale, drawn.unit, image_id
    )
    writer.put_layer(name, layer, one.maps)
    mapped = one.maps.shape[2:] != (1, 1)
    below = one.winners.found & (one.maps.max((2, 3)) <= (level / one.scale)[:, None])
    return {
        "units": len(level) * mapped,
        "units_at_half": mapped * int(half.sum()),
        "outlines": mapped * int((one.winners.found & ~below).sum()),
        "maps_below_level": mapped * int(below.sum()),
    }


def _totals(layers: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(layer[name] for layer in layers) for name in layers[0]}


STAGE = Stage(
    name="outlines",
    run=run,
    params=Params,
    block="outlines",
    inputs={
        "patches": "artifacts/patches.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/outlines.h5", "metrics": "metrics/outlines.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
