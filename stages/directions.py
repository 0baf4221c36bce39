"""Rank the images along arbitrary directions of layers' spaces, and cut what is strongest along some."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline import store
from pipeline.analyses.directions.axes import (
    Axes,
    axes_of,
    components_of,
    is_stored,
    looked_at,
    stored_values,
)
from pipeline.analyses.directions.given import read_given
from pipeline.analyses.directions.kinds import LabelledImages, filled, of_directions, of_units
from pipeline.analyses.directions.purity import compare
from pipeline.analyses.directions.rotation import measure_rotations
from pipeline.analyses.directions.stored import rank_stored
from pipeline.analyses.patches.choosing import choose_ranks, choose_units
from pipeline.analyses.patches.patches import Drawn, Scratch, Wanted, draw, scratch
from pipeline.dataset.originals import none_readable, originals
from pipeline.extraction.directed import rank_maps
from pipeline.formats import directions as formats
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.directions import DirectedLayer, DirectionsWriter, Kind, Rotations
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.patches import Patches
from pipeline.formats.status import not_run
from pipeline.formats.topk import TopkFile, open_topk
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import view
from pipeline.layers.batches import Batches
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.topk.streaming import TopK
from stages.blocks.directions import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

CONTEXT = 8  # pixels, the least side: whole images are not kept
BATCH = 16  # images that a rotation is measured on at once


@dataclass(frozen=True)
class RankedDirections:
    """A layer that was ranked along its directions, each kind of them with the units."""

    about: DirectedLayer
    kinds: dict[str, Kind]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/directions.h5` and its metrics.

    Raises
    ------
    UserError
        A layer is not there, a file of inputs/directions does not fit, no image can be read, or the disk has
        no room.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        status = not_run("directions")
        leave(status, paths, stage="directions", version=formats.VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "topk")}
    made_from |= {"weights": description.digest, "activations": store.digest(paths["activations"] / INDEX)}
    # The last bits must not depend on the number of cores.
    with threadpool_limits(1), open_topk(paths["topk"]) as topk, open_manifest(paths["manifest"]) as manifest:
        activations = open_activations(paths["activations"])
        seen = _seen(activations, manifest, description.preprocessing)
        layers = _layers(params, paths, activations, topk, seen)
        rotations = _rotations(params, paths, activations, manifest)
        about = formats.About(
            tuple(layers), len(activations.image_id), topk.about.k, topk.about.margin, seen.classes,
            params.side, topk.about.input_size,
        )  # fmt: skip
        paths["out"].parent.mkdir(parents=True, exist_ok=True)
        wanted = _wanted(layers, params.side)
        with (
            scratch(paths["out"].parent, wanted) as into,
            formats.new_directions(paths["out"], about, made_from=made_from) as writer,
        ):
            _cut(wanted, into, manifest, description.preprocessing)
            _write(writer, layers, into)
            writer.put_rotations(rotations)
    write_metrics(paths["metrics"], _numbers(layers, rotations))


def _seen(activations: Activations, manifest: ManifestFile, preprocessing: Preprocessing) -> LabelledImages:
    width, height = manifest.size()
    digests = activations.input_digests()
    return LabelledImages(activations.image_id, digests, width, height, preprocessing, manifest.label())


def _layers(
    params: Params, paths: Mapping[str, Path], activations: Activations, topk: TopkFile, seen: LabelledImages
) -> dict[str, RankedDirections]:
    """Rank along all directions of all layers, and compare them with units."""
    kept = {name: activations.layer(name) for name in activations.layers}
    given = read_given(paths["given"], {name: layer.units for name, layer in kept.items()})
    names = looked_at(activations, params.layers, given)
    axes = {
        name: axes_of(activations, kept[name], given.get(name), count=params.count, seed=params.seed)
        for name in names
    }
    ranking = _rank(axes, paths, activations, min(topk.about.k + topk.about.margin, topk.about.images))
    return {name: _layer(name, axes[name], ranking[name], params, activations, topk, seen) for name in names}


def _rank(
    axes: Mapping[str, Mapping[str, Axes]], paths: Mapping[str, Path], activations: Activations, ranks: int
) -> dict[str, TopK]:
    """Rank along all kinds of direction together: what is stored as it is, maps by a pass of their own."""
    stacked = {
        name: np.concatenate([one.direction for one in kinds.values()]) for name, kinds in axes.items()
    }
    kept = {name: activations.layer(name) for name in axes}
    ranking = {
        name: rank_stored(stored_values(activations, kept[name]), stacked[name], ranks)
        for name in axes
        if is_stored(kept[name])
    }
    maps = {name: stacked[name] for name in axes if name not in ranking}
    if maps:
        ranking |= rank_maps(activations, paths["manifest"], paths["weights"], maps, ranks)
    return ranking


def _layer(
    name: str,
    axes: Mapping[str, Axes],
    ranking: TopK,
    params: Params,
    activations: Activations,
    topk: TopkFile,
    seen: LabelledImages,
) -> RankedDirections:
    layer = activations.layer(name)
    kinds = {formats.UNIT: _units(name, params, topk, seen)}
    start = 0
    for kind, one in axes.items():
        rows = slice(start, start + len(one.names))
        # The user's own are all drawn.
        drawn = len(one.names) if kind == formats.FILE else min(params.drawn, len(one.names))
        kinds[kind] = of_directions(
            one, ranking, rows, layer.geometry, seen, topk.about.k, np.arange(drawn, dtype=np.int64)
        )
        start = rows.stop
    compared = {
        kind: found
        for kind in axes
        if (found := compare(kinds[formats.UNIT].purity, kinds[kind].purity, seed=params.seed))
    }
    what = components_of(activations, layer).what
    return RankedDirections(
        DirectedLayer(layer.geometry, layer.units, layer.ranked_by, what, compared), kinds
    )


def _units(name: str, params: Params, topk: TopkFile, seen: LabelledImages) -> Kind:
    """Return all units, placed as the stage patches places them; those drawn are active on some image."""
    ranked = topk.layer(name)
    places = choose_ranks(ranked.value, ranked.duplicate, topk.about.k)
    active = np.flatnonzero((places >= 0).any(1))
    pool = active if len(active) else np.arange(len(places))
    shown = pool[choose_units(params.drawn, len(pool), name, params.seed)]
    return of_units(ranked, seen, places, shown.astype(np.int64))


def _rotations(
    params: Params, paths: Mapping[str, Path], activations: Activations, manifest: ManifestFile
) -> Rotations:
    """Measure rotations on a sample of the images."""
    images = activations.image_id
    sample = np.random.default_rng(params.seed).choice(images, min(params.sample, len(images)), replace=False)
    description = read_description(paths["weights"])
    batches = Batches(originals(manifest, sample), description.preprocessing, BATCH, threads=count_workers())
    inputs = [torch.from_numpy(batch.inputs) for batch in batches]
    if not inputs:
        raise none_readable("directions", len(sample))
    torch.set_num_threads(1)
    network = place_network(load_network(paths["weights"]), choose_device())
    return measure_rotations(network, inputs, params.rotations, params.seed, images=len(batches.kept))


def _shown(layers: Mapping[str, RankedDirections]) -> Iterator[tuple[str, str, Kind]]:
    """Yield each kind of each layer, in the order in which they are written."""
    for name, layer in layers.items():
        for kind, one in layer.kinds.items():
            yield name, kind, one


def _wanted(layers: Mapping[str, RankedDirections], side: int) -> Wanted:
    """List the places of all that is drawn."""
    image_id, box = [], []
    for _, _, kind in _shown(layers):
        image_id.append(filled(kind.image_id[kind.shown], kind.place, -1).ravel())
        box.append(filled(kind.box[kind.shown], kind.place, 0).reshape(-1, 4))
    return Wanted(np.concatenate(image_id), np.concatenate(box), side, CONTEXT)


def _cut(wanted: Wanted, into: Scratch, manifest: ManifestFile, preprocessing: Preprocessing) -> None:
    """Decode each image once and cut its patches.

    Raises
    ------
    UserError
        If none can be read.
    """
    images = originals(manifest, wanted.image_id[wanted.image_id >= 0])
    seen = partial(view, preprocessing=preprocessing)
    lost: list[Drawn] = []
    with progress("cutting patches", total=len(images.image_id), unit="images") as bar:
        for image in draw(wanted, into, images.read, seen, threads=count_workers()):
            bar.advance()
            if image.problem:
                log.warning("image %d cannot be read any more: %s", image.image_id, image.problem)
                lost.append(image)
    if lost and len(lost) == len(images.image_id):
        raise none_readable("directions", len(lost))


def _write(writer: DirectionsWriter, layers: Mapping[str, RankedDirections], into: Scratch) -> None:
    for name, layer in layers.items():
        writer.put_layer(name, layer.about)
    start = 0
    for name, kind, one in _shown(layers):
        here, places = slice(start, start + one.place.size), one.place.shape
        pixels, mask = (part[here].reshape(*places, *part.shape[1:]) for part in (into.pixels, into.mask))
        writer.put_kind(name, kind, one, Patches(pixels, mask, into.scale[here].reshape(places)))
        start = here.stop


def _numbers(layers: Mapping[str, RankedDirections], rotations: Rotations) -> dict[str, object]:
    """Return how pure units and directions are in each layer, and what rotations change."""
    compared = {
        name: {kind: vars(found) for kind, found in layer.about.compared.items()}
        for name, layer in layers.items()
    }
    extremes = {
        "with_activation_least": np.nanmin, "with_activation_most": np.nanmax,
        "without_activation_most": np.nanmax,
    }  # fmt: skip
    measured = {
        name: extreme(values)
        for name, extreme in extremes.items()
        if np.isfinite(values := getattr(rotations, name.rpartition("_")[0])).any()
    }
    return {"purity": compared, "rotation": {"pairs": rotations.pairs, "images": rotations.images} | measured}


STAGE = Stage(
    name="directions",
    run=run,
    params=Params,
    block="directions",
    inputs={
        "activations": "artifacts/activations",
        "topk": "artifacts/topk.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
        "given": "inputs/directions",
    },
    outputs={"out": "artifacts/directions.h5", "metrics": "metrics/directions.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
