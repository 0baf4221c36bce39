"""Keep where, on the images that excite it most, each drawn unit is active, and its level."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline import store
from pipeline.analyses.outlines.gathering import Gathering, Seen, gatherings
from pipeline.analyses.outlines.levels import levels
from pipeline.dataset.originals import Originals, none_readable, originals
from pipeline.formats.activations import INPUT
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.outlines import VERSION, About, OutlinedLayer, OutlinesWriter, new_outlines
from pipeline.formats.patches import DrawnLayer, open_patches
from pipeline.formats.status import not_run
from pipeline.formats.weights import read_description
from pipeline.images.decoding import ImageError
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from pipeline.layers.layers import describe_layers
from pipeline.layers.observer import Observer
from pipeline.model.device import choose_device, device_and_dtype, is_on_gpu, place_inputs, place_network
from pipeline.model.network import load_network
from pipeline.numerics.geometry import GLOBAL, ReceptiveField
from pipeline.numerics.scratch import on_disk
from pipeline.parallel.forks import map_forked
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
Sampled = NDArray[np.bool_]

BATCHES = 4  # that are forwarded in one process after each other


class Gathered(NamedTuple):
    """What came of some images: of each layer, and which could be read and which could not."""

    layers: dict[str, Seen]
    kept: list[int]
    skipped: list[tuple[int, ImageError]]


@dataclass(frozen=True)
class Work:
    """What is gathered of which images, and how they are seen.

    `looked_at` has the layers that are gathered by the one whose output it is: of a bounded layer that is
    where its input is computed. `sample` are the images that the levels are taken on.
    """

    network: nn.Module
    drawn: Mapping[str, DrawnLayer]
    looked_at: Mapping[str, Sequence[str]]
    room: NDArray[np.float16]
    sample: Ids
    preprocessing: Preprocessing
    batch_size: int

    @property
    def here(self) -> bool:
        """Whether all is done in this process, as of `map_forked`."""
        return is_on_gpu(self.network)

    def gatherings(self, sampled: int) -> dict[str, Gathering]:
        """Begin to gather all layers, of so many images of the sample at most."""
        return gatherings(self.drawn, sampled, self.room)

    def forward(self, images: Originals) -> Gathered:
        """Forward some images, and put their maps into the room."""
        any_sampled = bool(np.isin(images.image_id, self.sample).any())
        gathered = self.gatherings(len(self.sample) * any_sampled)
        threads = count_workers() if self.here else 1
        batches = Batches(images, self.preprocessing, self.batch_size, threads=threads)
        observer, place = Observer(self.network, self.looked_at), device_and_dtype(self.network)
        for batch in batches:
            ids, sampled = batch.image_id, np.isin(batch.image_id, self.sample)

            def visit(name: str, value: Tensor, ids: list[int] = ids, sampled: Sampled = sampled) -> None:
                for one in self.looked_at[name]:
                    gathered[one].take(ids, sampled, value)

            with torch.inference_mode():
                observer.forward(place_inputs(batch.inputs, *place), visit)
        layers = {name: one.seen() for name, one in gathered.items()}
        return Gathered(layers, batches.kept, batches.skipped)


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
        images = originals(manifest, np.union1d(_images_of(drawn.values()), sample))
        _announce(images, sample, room)
        network = place_network(load_network(paths["weights"]), choose_device())
        looked_at = _looked_at(network, drawn, description.preprocessing)
        work = Work(network, drawn, looked_at, room, sample, description.preprocessing, params.batch_size)
        gathered, kept = _forward(work, images)
        read = int(np.isin(kept, sample).sum())
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
    network: nn.Module, drawn: Mapping[str, DrawnLayer], preprocessing: Preprocessing
) -> dict[str, list[str]]:
    """Return the layers by that whose output is gathered: of a bounded layer the one before."""
    before: dict[str, str | None] = {}
    if any(layer.ranked_by == INPUT for layer in drawn.values()):
        layers = describe_layers(network, preprocessing.input_size, preprocessing.channels)
        before = {layer.name: layer.before for layer in layers}
    found: dict[str, list[str]] = {}
    for name, layer in drawn.items():
        source = before[name] if layer.ranked_by == INPUT else name
        assert source is not None, "ranked by the input of a layer that has none"
        found.setdefault(source, []).append(name)
    return found


def _forward(work: Work, images: Originals) -> tuple[dict[str, Gathering], list[int]]:
    """Forward every image once, all layers together; return what was gathered, and the images that were read.

    Raises
    ------
    UserError
        If none can be read.
    """
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    parts, total, kept = _parts(work, images), len(images.image_id), []
    gathered = work.gatherings(len(work.sample))
    trial = partial(work.forward, parts[0].take(parts[0].image_id[: work.batch_size]))
    with progress("outlining", total=total, unit="images") as bar:
        for part in map_forked(work.forward, parts, trial=trial, here=work.here):
            for name, seen in part.layers.items():
                gathered[name].merge(seen)
            kept += part.kept
            for image_id, error in part.skipped:
                log.warning("image %d cannot be read any more: %s", image_id, error)
            bar.advance(len(part.kept) + len(part.skipped))
    if not kept:
        raise none_readable("outlines", total)
    return gathered, kept


def _parts(work: Work, images: Originals) -> list[Originals]:
    """Return the images of the sample, which alone make tails, some at a time, and then the others."""
    sampled, size = np.isin(images.image_id, work.sample), BATCHES * work.batch_size
    return [
        images.take(ids[start : start + size])
        for ids in (images.image_id[sampled], images.image_id[~sampled])
        for start in range(0, len(ids), size)
    ]


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
