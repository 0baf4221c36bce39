"""Find the nearest images of some, by codes, pixels and colours, and of the map's; compare their labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.neighbours.agreement import chance_agreement, hub_share, label_agreement
from pipeline.analyses.neighbours.descriptors import colour_vectors, pixel_vectors
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.neighbours import (
    CODES,
    COLOURS,
    PIXELS,
    SPACES,
    VERSION,
    About,
    Neighbours,
    OnMap,
    Space,
    Summary,
    write_neighbours,
)
from pipeline.formats.predictions import read_predictions
from pipeline.formats.probes import read_probes
from pipeline.formats.status import Status, not_run
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.neighbours import Search
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.topk.duplicates import equal_rows
from stages.blocks.neighbours import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

THUMBNAILS_AT_ONCE = 512
CODES_AT_ONCE = 4096

Ids = NDArray[np.int64]
# Gives, of wanted images, ascending, some at a time: their ids, and by space what they are compared by.
Parts = Callable[[Ids], Iterator[tuple[Ids, Mapping[str, NDArray[np.floating]]]]]


@dataclass(frozen=True)
class Known:
    """What is known of the images before any is compared.

    Attributes
    ----------
    image_id : (M,) int64
        The images among which neighbours are sought, ascending: of equal ones the first.
    stands_for : dict
        From an image that is left out to the equal one that is kept.
    label : (N,) int32
        By row of the manifest; -1 where there is none.
    split
        That the sample is drawn from; empty: all.
    counts : (C,) int64
        Images of each label among `image_id`.
    drawn_from : (D,) int64
        Its images among `image_id` whose label another one has: no other can agree with them.
    probe : (P,) int64
        The probes that can be compared, in their order; they may be equal to another image.
    """

    image_id: Ids
    stands_for: Mapping[int, int]
    label: NDArray[np.int32]
    split: str
    counts: NDArray[np.int64]
    drawn_from: Ids
    probe: Ids


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/neighbours.h5` and its metrics."""
    made_from = {"params": digest(params)}
    if not params.run:
        leave(not_run("neighbours"), paths, stage="neighbours", version=VERSION, made_from=made_from)
        return
    files = ("manifest", "predictions", "probes", "thumbnails")
    made_from |= {name: store.digest(paths[name]) for name in files}
    made_from["activations"] = store.digest(paths["activations"] / INDEX)
    activations = open_activations(paths["activations"])
    with open_thumbnails(paths["thumbnails"]) as thumbnails:
        known = _known(activations, thumbnails, paths)
        if len(known.image_id) < 2:
            status = Status("not applicable", _why_none(len(activations.image_id)))
            leave(status, paths, stage="neighbours", version=VERSION, made_from=made_from)
            return
        found = _find(params, known, activations, thumbnails)
    write_neighbours(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _why_none(images: int) -> str:
    if images < 2:
        return "An image has neighbours where there is another one, and there is one."
    return f"All {images:,} images give the network the same input, so none has another one beside it."


def _known(activations: Activations, thumbnails: ThumbnailFile, paths: Mapping[str, Path]) -> Known:
    """Choose the images that are compared: those with a code and a thumbnail, of equal ones the first."""
    image_id = activations.image_id
    seen = thumbnails.image_id[(thumbnails.size > 0).all(axis=1)]
    with_both = np.isin(image_id, seen)
    number = equal_rows(activations.input_digests()[with_both])
    image_id = image_id[with_both]
    _, first = np.unique(number, return_index=True)
    kept = image_id[np.sort(first)]
    stands_for = image_id[first][number]
    others = stands_for != image_id
    probes = read_probes(paths["probes"])
    asked = np.empty(0, np.int64) if isinstance(probes, Status) else probes.image_id
    evaluated = read_predictions(paths["predictions"])
    with open_manifest(paths["manifest"]) as manifest:
        label = manifest.label()
        of_split = np.ones(len(label), bool)
        if evaluated.held_out:
            of_split = np.array([split == evaluated.held_out for split in manifest.split()])
    counts = np.bincount(label[kept] + 1, minlength=1)[1:]
    compared = np.append(counts > 1, False)[label[kept]] & of_split[kept]
    return Known(
        kept, dict(zip(image_id[others].tolist(), stands_for[others].tolist(), strict=True)), label,
        evaluated.held_out, counts, kept[compared], asked[np.isin(asked, image_id)],
    )  # fmt: skip


def _find(params: Params, known: Known, activations: Activations, thumbnails: ThumbnailFile) -> Neighbours:
    classes = int((known.counts > 0).sum())
    # Of one class all neighbours are, whatever they are compared by.
    compared = known.drawn_from if classes > 1 else known.drawn_from[:0]
    sample = _sample(compared, params.sample, params.seed)
    # Without labels to compare, lists are made of any images.
    asked = sample if len(sample) else _sample(known.image_id, params.sample, params.seed)
    queries = np.union1d(known.probe, asked)
    k = min(params.k, len(known.image_id) - 1)
    log.info("of each of %d images the %d nearest among %d", len(queries), k, len(known.image_id))
    own = np.array([known.stands_for.get(row, row) for row in queries.tolist()], np.int64)
    searches: dict[str, Search] = {}
    for parts in (_codes(activations, params), _descriptors(thumbnails, params)):
        searches |= _search(parts, known.image_id, queries, own, k)
    about = About(
        params.metric, activations.code_layer, k, len(known.image_id), len(known.stands_for),
        params.pixel_side, params.colour_bins, known.split, len(sample) < len(compared), classes,
        int((known.counts == 1).sum()), params.repeats,
    )  # fmt: skip
    chance = chance_agreement(known.label[sample], known.counts)
    spaces = _spaces(searches, known, queries, sample, params)
    on_map = _on_map(params, activations)
    return Neighbours(about, queries, known.probe, sample, chance, spaces, on_map)


def _sample(images: Ids, most: int, seed: int) -> Ids:
    """Return some of the images, ascending; all where there are no more."""
    if len(images) <= most:
        return images
    return np.sort(np.random.default_rng(seed).choice(images, most, replace=False))


def _search(parts: Parts, images: Ids, queries: Ids, own: Ids, k: int) -> dict[str, Search]:
    """Read the queries, and then what is compared with them; by space."""
    asked = [vectors for _, vectors in parts(queries)]
    searches = {
        name: Search(np.concatenate([vectors[name] for vectors in asked]), own, k) for name in asked[0]
    }
    with progress(f"nearest by {' and '.join(searches)}", total=len(images), unit="images") as bar:
        for image_id, vectors in parts(images):
            for name, search in searches.items():
                search.add(vectors[name], image_id)
            bar.advance(len(image_id))
    return searches


def _on_map(params: Params, activations: Activations) -> OnMap:
    """Find the nearest of the map's images among these, whether or not they are equal."""
    # As the map draws its images, so that with its seed and its number they are the same.
    images = _sample(activations.image_id, params.images, params.seed)
    codes = np.concatenate([vectors[CODES] for _, vectors in _codes(activations, params)(images)])
    search = Search(codes, images, min(params.k, len(images) - 1))
    with progress("nearest on the map by codes", total=len(images), unit="images") as bar:
        for start in range(0, len(images), CODES_AT_ONCE):
            part = slice(start, start + CODES_AT_ONCE)
            search.add(codes[part], images[part])
            bar.advance(len(images[part]))
    return OnMap(images, search.neighbour, np.sqrt(search.squared).astype(np.float32))


def _codes(activations: Activations, params: Params) -> Parts:
    def read(wanted: Ids) -> Iterator[tuple[Ids, Mapping[str, NDArray[np.floating]]]]:
        for shard in activations.shards():
            rows = np.isin(shard.image_id, wanted)
            if rows.any():
                codes = shard.codes()[rows].astype(np.float64)
                if params.metric == "cosine":
                    length = np.linalg.norm(codes, axis=1, keepdims=True)
                    np.divide(codes, length, out=codes, where=length > 0)
                yield shard.image_id[rows], {CODES: codes}

    return read


def _descriptors(thumbnails: ThumbnailFile, params: Params) -> Parts:
    def read(wanted: Ids) -> Iterator[tuple[Ids, Mapping[str, NDArray[np.floating]]]]:
        for start in range(0, len(thumbnails.image_id), THUMBNAILS_AT_ONCE):
            run = slice(start, start + THUMBNAILS_AT_ONCE)
            rows = np.isin(thumbnails.image_id[run], wanted)
            if rows.any():
                pixels, size = thumbnails.pixels(run)[rows], thumbnails.size[run][rows]
                yield (
                    thumbnails.image_id[run][rows],
                    {
                        PIXELS: pixel_vectors(pixels, size, params.pixel_side),
                        COLOURS: colour_vectors(pixels, size, params.colour_bins),
                    },
                )

    return read


def _spaces(
    searches: Mapping[str, Search], known: Known, queries: Ids, sample: Ids, params: Params
) -> dict[str, Space]:
    """Compare labels, on the same images in every space."""
    label, rows = known.label[sample], np.searchsorted(queries, sample)
    agreement = {
        name: label_agreement(label, known.label[search.neighbour[rows]]) for name, search in searches.items()
    }
    together = np.stack([agreement[name] for name in SPACES], axis=1)
    summaries = _summaries(together[np.isfinite(together).all(axis=1)], params)
    return {
        name: Space(
            search.neighbour,
            np.sqrt(search.squared).astype(np.float32),
            agreement[name],
            hub_share(search.neighbour),
            summaries.get(name),
        )
        for name, search in searches.items()
    }


def _summaries(agreement: NDArray[np.float64], params: Params) -> dict[str, Summary]:
    """Return the means over images, (n, 3), and how far the codes are ahead; nothing of no image."""
    if not len(agreement):
        return {}
    values = np.concatenate((agreement, agreement[:, :1] - agreement), axis=1)
    low, high = bootstrap_means(values, repeats=params.repeats, seed=params.seed)
    parts = np.stack((values.mean(axis=0), low, high), axis=1).reshape(2, len(SPACES), 3)
    return {name: Summary(*parts[:, place].ravel().tolist()) for place, name in enumerate(SPACES)}


def _numbers(found: Neighbours) -> dict[str, object]:
    """Return the metrics."""
    numbers: dict[str, object] = {
        "images": found.about.images, "k": found.about.k, "sample": len(found.sample),
    }  # fmt: skip
    if len(found.sample):
        numbers["chance"] = float(np.nanmean(found.chance))
    for name, space in found.spaces.items():
        numbers[f"{name}_hub"] = space.hub
        if space.summary:
            values = asdict(space.summary)
            numbers |= {f"{name}_{key}": values[key] for key in values if name != CODES or "lead" not in key}
    return numbers


STAGE = Stage(
    name="neighbours",
    run=run,
    params=Params,
    block="neighbours",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "probes": "artifacts/probes.h5",
        "thumbnails": "artifacts/thumbnails.h5",
    },
    outputs={"out": "artifacts/neighbours.h5", "metrics": "metrics/neighbours.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
