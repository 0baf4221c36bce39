"""Cut the boxes that activated each unit most out of the original images."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import store
from pipeline.analyses.patches.choosing import choose_ranks, choose_units, equal_rows, near_duplicates
from pipeline.analyses.patches.patches import Drawn, Scratch, Sheet, draw, scratch
from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.weights import read_description
from pipeline.images.way_back import view
from pipeline.layers.choosing import choose_layers
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from stages.blocks.patches import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

CONTEXT = 128  # pixels, side of a context
RANKED = ("value", "image_id", "position", "box")


@dataclass(frozen=True)
class Rows:
    """What is drawn of a layer: V units of k places, as stored."""

    layer: str
    attributes: dict[str, Any]
    arrays: dict[str, np.ndarray]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Choose units and ranks, decode each image once, write `artifacts/patches.h5`.

    Raises
    ------
    UserError
        If a layer or unit is not there, no image can be read, or the disk has no room.
    """
    description = read_description(paths["weights"])
    with open_manifest(paths["manifest"]) as manifest, store.read(paths["topk"]) as topk:
        about = topk.attributes()
        chosen = choose_layers(params.layers, about["layers"], "patches.layers")
        rows = [_choose(topk, manifest, layer, params) for layer in chosen]
        sheet = _sheet(rows, params.side)
        images = originals(manifest, sheet.image_id[sheet.image_id >= 0])
    made_from = {name: store.digest(paths[name]) for name in ("manifest", "topk")}
    made_from |= {"params": digest(params), "weights": description.digest}
    seen = partial(view, preprocessing=description.preprocessing)
    folder, versions = paths["out"].parent, ("numpy", "h5py", "pillow")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        scratch(folder, sheet) as into,
        store.write(paths["out"], stage="patches", made_from=made_from, versions=versions) as file,
    ):
        file.set_attributes("", {"layers": chosen, "size": params.side, "picture": CONTEXT})
        file.set_attributes("", {name: about[name] for name in ("k", "images", "input_size")})
        drawn = draw(sheet, into, images.read, seen, threads=count_workers())
        _write_context(file, images.image_id, drawn)
        _write_patches(file, rows, into)


def _sheet(rows: Sequence[Rows], size: int) -> Sheet:
    """List the places of all layers, in the order in which they are written."""
    image_id = np.concatenate([layer.arrays["image_id"].ravel() for layer in rows])
    box = np.concatenate([layer.arrays["box"].reshape(-1, 4) for layer in rows])
    return Sheet(image_id, box, size, CONTEXT)


def _choose(topk: store.Reader, manifest: ManifestFile, layer: str, params: Params) -> Rows:
    """Choose the units of a layer and what fills their places."""
    total, _ = topk.shape(f"{layer}/value")
    units = choose_units(params.units, total, layer, params.seed)
    ranked = {name: topk.get(f"{layer}/{name}")[units] for name in RANKED}
    digests = equal_rows(manifest.take_sha256(ranked["image_id"].ravel()))
    duplicate = near_duplicates(ranked["value"], ranked["position"], digests.reshape(ranked["value"].shape))
    ranks = choose_ranks(ranked["value"], duplicate, int(topk.attributes()["k"]))
    empty = ranks < 0
    rows = np.arange(len(units))[:, None]
    arrays = {name: values[rows, ranks] for name, values in ranked.items()}
    arrays["value"][empty], arrays["image_id"][empty] = -np.inf, -1
    arrays["position"][empty], arrays["box"][empty] = 0, 0
    # Only those that stood before the last place or left one empty were passed over.
    last = np.where(empty.any(1), ranked["value"].shape[1], ranks.max(1) + 1)
    before = np.arange(ranked["value"].shape[1]) < last[:, None]
    arrays["passed_over"] = (duplicate & (ranked["value"] > 0) & before).sum(1)
    arrays["unit"] = units.astype(np.int64)
    count_active = topk.get(f"{layer}/count_active")
    arrays["count_active"] = count_active[units]
    about = {"units": total, "units_never_active": int(np.count_nonzero(count_active == 0))}
    return Rows(layer, topk.attributes(layer) | about, arrays)


def _write_context(file: store.Writer, image_id: np.ndarray, drawn: Iterator[Drawn]) -> None:
    """Write the network's view of each image as it comes, and which could not be read."""
    count = len(image_id)
    pixels = file.allocate("context/picture", (count, CONTEXT, CONTEXT, 3), np.uint8)
    geometry = {name: np.zeros((count, width), np.float32) for name, width in (("offset", 2), ("view", 4))}
    scale, problems = np.zeros(count, np.float32), {}
    with progress("cutting patches", total=count, unit="images") as bar:
        for row, image in enumerate(drawn):
            bar.advance()
            if image.context is None:
                log.warning("image %d cannot be read any more: %s", image.image_id, image.problem)
                problems[image.image_id] = image.problem
                continue
            pixels[row] = image.context.pixels
            scale[row] = image.context.scale
            geometry["offset"][row], geometry["view"][row] = image.context.offset, image.context.view
    if count and len(problems) == count:
        raise UserError(f"patches: none of {count} images can be read any more; run the manifest stage again")
    file.put("context/image_id", image_id)
    file.put("context/scale", scale)
    for name, values in geometry.items():
        file.put(f"context/{name}", values)
    file.put("skipped/image_id", np.array(list(problems), np.int64))
    file.put_strings("skipped/reason", list(problems.values()))


def _write_patches(file: store.Writer, rows: Sequence[Rows], into: Scratch) -> None:
    start = 0
    for layer in rows:
        file.set_attributes(layer.layer, layer.attributes)
        for name, values in layer.arrays.items():
            file.put(f"{layer.layer}/{name}", values)
        places = layer.arrays["image_id"].shape
        stop = start + layer.arrays["image_id"].size
        file.put(f"{layer.layer}/scale", into.scale[start:stop].reshape(places))
        for name, source in (("patch", into.pixels), ("mask", into.mask)):
            dataset = file.allocate(f"{layer.layer}/{name}", (*places, *source.shape[1:]), np.uint8)
            for row in range(places[0]):
                first = start + row * places[1]
                dataset[row] = source[first : first + places[1]]
        start = stop


STAGE = Stage(
    name="patches",
    run=run,
    params=Params,
    block="patches",
    inputs={
        "topk": "artifacts/topk.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/patches.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
