"""Cut, beside the images that excite a drawn unit most, those that excite it least, and some at random."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.contrasts import Contrasts, Places
from pipeline.analyses.patches.patches import Scratch, Wanted, draw, scratch
from pipeline.dataset.originals import none_readable, originals
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import INPUT, Activations, open_activations
from pipeline.formats.contrasts import KINDS, VERSION, About, ContrastKind, ContrastsWriter, new_contrasts
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.patches import DrawnLayer, Patches, open_patches
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import view
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.topk.boxes import image_boxes, input_boxes
from stages.blocks.contrasts import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

CONTEXT = 8  # pixels, the least side: whole images are not kept
Kinds = Mapping[tuple[str, str], ContrastKind]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Read the maxima once, decode each image once, and write `artifacts/contrasts.h5`.

    Raises
    ------
    UserError
        No image can be read, or the disk has no room.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        status = not_run("contrasts")
        write_status(paths["out"], status, stage="contrasts", version=VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    activations = open_activations(paths["activations"])
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "patches")}
    made_from |= {"activations": store.digest(paths["activations"] / INDEX), "weights": description.digest}
    with open_patches(paths["patches"]) as patches:
        drawn = {name: patches.layer(name) for name in patches.about.layers}
        about = About(patches.about.layers, len(activations.image_id), patches.about.size)
    paths["out"].parent.mkdir(parents=True, exist_ok=True)
    with open_manifest(paths["manifest"]) as manifest:
        kinds = _kinds(activations, drawn, params, manifest, description.preprocessing)
        wanted = _wanted(kinds, about.size)
        with (
            scratch(paths["out"].parent, wanted) as into,
            new_contrasts(paths["out"], about, made_from=made_from) as writer,
        ):
            _cut(wanted, into, manifest, description.preprocessing)
            _write(writer, drawn, kinds, into)


def _kinds(
    activations: Activations,
    drawn: Mapping[str, DrawnLayer],
    params: Params,
    manifest: ManifestFile,
    preprocessing: Preprocessing,
) -> dict[tuple[str, str], ContrastKind]:
    """Return the images of each kind, by layer and kind, in the order in which they are written."""
    width, height = manifest.size()

    def placed(layer: DrawnLayer, places: Places) -> ContrastKind:
        field = layer.geometry.receptive_field
        boxes = input_boxes(places.position, field, preprocessing.input_size)
        rows, columns = preprocessing.input_size
        boxes[~places.active] = (0, 0, columns, rows)
        image_id = places.image_id
        box = image_boxes(boxes, width[image_id], height[image_id], preprocessing)
        return ContrastKind(places.value, image_id, places.position, box)

    return {
        (name, kind): placed(drawn[name], places)
        for name, found in _gathered(activations, drawn, params).items()
        for kind, places in zip(KINDS, (found.weakest(), found.random()), strict=True)
    }


def _gathered(
    activations: Activations, drawn: Mapping[str, DrawnLayer], params: Params
) -> dict[str, Contrasts]:
    """Read all maxima once, one layer of one shard in memory at a time."""
    chosen = _at_random(activations.image_id, params)
    found = {name: Contrasts(len(layer.unit), params.images, chosen) for name, layer in drawn.items()}
    with progress("looking for the weakest images", total=activations.count, unit="shards") as bar:
        for shard in activations.shards():
            for name, layer in drawn.items():
                outputs, positions = shard.maxima(name)
                keys = outputs
                if layer.ranked_by == INPUT:
                    keys, positions = shard.input_maxima(name)
                unit = layer.unit
                found[name].add(shard.image_id, keys[:, unit], positions[:, unit], outputs[:, unit])
            bar.advance()
    return found


def _at_random(image_id: NDArray[np.int64], params: Params) -> NDArray[np.int64]:
    """Return the images at random, ascending: the same for all units."""
    count = min(params.images, len(image_id))
    return np.sort(np.random.default_rng(params.seed).choice(image_id, count, replace=False))


def _wanted(kinds: Kinds, side: int) -> Wanted:
    image_id = np.concatenate([kind.image_id.ravel() for kind in kinds.values()])
    box = np.concatenate([kind.box.reshape(-1, 4) for kind in kinds.values()])
    return Wanted(image_id, box, side, CONTEXT)


def _cut(wanted: Wanted, into: Scratch, manifest: ManifestFile, preprocessing: Preprocessing) -> None:
    """Decode each image once and cut its patches.

    Raises
    ------
    UserError
        If none can be read.
    """
    images = originals(manifest, np.unique(wanted.image_id[wanted.image_id >= 0]))
    seen, lost = partial(view, preprocessing=preprocessing), 0
    with progress("cutting patches", total=len(images.image_id), unit="images") as bar:
        for image in draw(wanted, into, images.read, seen, threads=count_workers()):
            bar.advance()
            if image.problem:
                log.warning("image %d cannot be read any more: %s", image.image_id, image.problem)
                lost += 1
    if lost and lost == len(images.image_id):
        raise none_readable("contrasts", lost)


def _write(writer: ContrastsWriter, drawn: Mapping[str, DrawnLayer], kinds: Kinds, into: Scratch) -> None:
    for name, layer in drawn.items():
        writer.put_units(name, layer.unit, layer.ranked_by)
    for (name, kind), one, patches in _with_patches(kinds, into):
        writer.put_kind(name, kind, one, patches)


def _with_patches(kinds: Kinds, into: Scratch) -> Iterator[tuple[tuple[str, str], ContrastKind, Patches]]:
    """Yield each kind with its part of what was cut."""
    start = 0
    for key, one in kinds.items():
        here, places = slice(start, start + one.image_id.size), one.image_id.shape
        pixels, mask = (part[here].reshape(*places, *part.shape[1:]) for part in (into.pixels, into.mask))
        yield key, one, Patches(pixels, mask, into.scale[here].reshape(places))
        start = here.stop


STAGE = Stage(
    name="contrasts",
    run=run,
    params=Params,
    block="contrasts",
    inputs={
        "activations": "artifacts/activations",
        "patches": "artifacts/patches.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/contrasts.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
