"""Cut the boxes that activated each unit most out of the original images."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.patches.choosing import choose_ranks, choose_units
from pipeline.analyses.patches.patches import Drawn, Scratch, Wanted, draw, scratch
from pipeline.dataset.originals import none_readable, originals
from pipeline.formats.manifest import open_manifest
from pipeline.formats.patches import About, Context, DrawnLayer, Patches, PatchesWriter, new_patches
from pipeline.formats.topk import RankedLayer, open_topk
from pipeline.formats.weights import read_description
from pipeline.images.way_back import view
from pipeline.layers.choosing import choose_layers
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.blocks.patches import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

Array = NDArray[Any]

CONTEXT = 128  # pixels, side of a context


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Choose units and ranks, decode each image once, write `artifacts/patches.h5` and its metrics.

    Raises
    ------
    UserError
        If a layer or unit is not there, no image can be read, or the disk has no room.
    """
    description = read_description(paths["weights"])
    with open_manifest(paths["manifest"]) as manifest, open_topk(paths["topk"]) as topk:
        ranked = topk.about
        chosen = choose_layers(params.layers, ranked.layers, "patches.layers")
        layers = [_choose(topk.layer(name), name, params, ranked.k) for name in chosen]
        wanted = _wanted(layers, params.side)
        images = originals(manifest, wanted.image_id[wanted.image_id >= 0])
    made_from = {name: store.digest(paths[name]) for name in ("manifest", "topk")}
    made_from |= {"params": digest(params), "weights": description.digest}
    seen = partial(view, preprocessing=description.preprocessing)
    about = About(tuple(chosen), params.side, CONTEXT, ranked.k, ranked.images, ranked.input_size)
    folder = paths["out"].parent
    folder.mkdir(parents=True, exist_ok=True)
    with scratch(folder, wanted) as into, new_patches(paths["out"], about, made_from=made_from) as writer:
        drawn = draw(wanted, into, images.read, seen, threads=count_workers())
        writer.put_contexts(images.image_id, _contexts(drawn, len(images.image_id)))
        _write_patches(writer, dict(zip(chosen, layers, strict=True)), into)
    write_metrics(paths["metrics"], _numbers(layers, images.image_id))


def _numbers(layers: Sequence[DrawnLayer], image_id: NDArray[np.int64]) -> dict[str, int]:
    return {
        "layers": len(layers),
        "units_drawn": sum(len(layer.unit) for layer in layers),
        "images_shown": len(image_id),
        "patches": sum(int(np.count_nonzero(layer.image_id >= 0)) for layer in layers),
        "places_empty": sum(int(np.count_nonzero(layer.image_id < 0)) for layer in layers),
        "passed_over": sum(int(layer.passed_over.sum()) for layer in layers),
    }


def _wanted(layers: Sequence[DrawnLayer], size: int) -> Wanted:
    """List the places of all layers, in the order in which they are written."""
    image_id = np.concatenate([layer.image_id.ravel() for layer in layers])
    box = np.concatenate([layer.box.reshape(-1, 4) for layer in layers])
    return Wanted(image_id, box, size, CONTEXT)


def _choose(ranked: RankedLayer, name: str, params: Params, k: int) -> DrawnLayer:
    """Choose the units of a layer and what fills their places."""
    units = choose_units(params.units, len(ranked.value), name, params.seed)
    value, duplicate = ranked.value[units], ranked.duplicate[units]
    ranks = choose_ranks(value, duplicate, k)
    empty = ranks < 0
    chosen = partial(_filled, rows=units[:, None], ranks=ranks)
    # Only those that stood before the last place or left one empty were passed over.
    last = np.where(empty.any(1), value.shape[1], ranks.max(1) + 1)
    before = np.arange(value.shape[1]) < last[:, None]
    return DrawnLayer(
        ranked.geometry,
        units=len(ranked.value),
        units_never_active=int(np.count_nonzero(ranked.count_active == 0)),
        value=chosen(ranked.value, empty=-np.inf),
        image_id=chosen(ranked.image_id, empty=-1),
        position=chosen(ranked.position, empty=0),
        box=chosen(ranked.box, empty=0),
        passed_over=(duplicate & (value > 0) & before).sum(1),
        unit=units.astype(np.int64),
        count_active=ranked.count_active[units],
        count_at_maximum=ranked.count_at_maximum[units],
        input=None if ranked.input is None else chosen(ranked.input, empty=-np.inf),
        output_rank=None if ranked.output_rank is None else chosen(ranked.output_rank, empty=-1),
        overlap=ranked.overlap,
    )


def _filled(values: Array, *, rows: Array, ranks: Array, empty: float) -> Array:
    """Take the chosen ranks (V, K) of units' values (U, R, …), and `empty` where there is none (-1)."""
    taken = values[rows, ranks]
    taken[ranks < 0] = empty
    return taken


def _contexts(drawn: Iterator[Drawn], count: int) -> Iterator[Context | str]:
    """Yield each image's context, or why it could not be read.

    Raises
    ------
    UserError
        If none could.
    """
    lost = 0
    with progress("cutting patches", total=count, unit="images") as bar:
        for image in drawn:
            bar.advance()
            if image.context is None:
                log.warning("image %d cannot be read any more: %s", image.image_id, image.problem)
                lost += 1
            yield image.context or image.problem
    if count and lost == count:
        raise none_readable("patches", count)


def _write_patches(writer: PatchesWriter, layers: Mapping[str, DrawnLayer], into: Scratch) -> None:
    start = 0
    for name, layer in layers.items():
        here, places = slice(start, start + layer.image_id.size), layer.image_id.shape
        pixels, mask = (part[here].reshape(*places, *part.shape[1:]) for part in (into.pixels, into.mask))
        writer.put_layer(name, layer, Patches(pixels, mask, into.scale[here].reshape(places)))
        start = here.stop


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
    outputs={"out": "artifacts/patches.h5", "metrics": "metrics/patches.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
