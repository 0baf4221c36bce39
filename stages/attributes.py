"""Say which attributes of images the network's mistakes go with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.attributes.binning import Bins, make_bins
from pipeline.analyses.attributes.columns import Column, box_columns, column_of
from pipeline.analyses.attributes.effects import Images, calibration_error, number_bins
from pipeline.analyses.attributes.interaction import interaction
from pipeline.analyses.attributes.ranking import Ranking, rank
from pipeline.errors import UserError
from pipeline.formats.attributes import VERSION, Attributes, BinNumbers, Effect, write_attributes
from pipeline.formats.attributes import Interaction as Both
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.probes import Probes, read_probes
from pipeline.formats.status import Status, not_run
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from pipeline.images.attributes import NAMES
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from stages.blocks.attributes import Params
from stages.command import Stage, execute
from stages.leaving import leave

NO_LABELS = (
    "no image has a label that the network has an output for, so it is not known which it gets wrong: give "
    "labels by class folders or a CSV, and where names differ say in inputs/classes/ which output a label is "
    "(inputs/README.md)"
)


@dataclass(frozen=True)
class Counted:
    """The labelled images that count: (n,) rows of the manifest, ascending, and what is said of them."""

    image_id: NDArray[np.int64]
    images: Images
    split: str


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/attributes.h5` and its metrics.

    Raises
    ------
    UserError
        An artifact is stale.
    """
    made_from = {"params": digest(params)}
    found: Attributes | Status = not_run("attributes")
    if params.run:
        names = ("manifest", "predictions", "probes", "thumbnails")
        made_from |= {name: store.digest(paths[name]) for name in names}
        with open_manifest(paths["manifest"]) as manifest, open_thumbnails(paths["thumbnails"]) as file:
            counted = _count(params, read_predictions(paths["predictions"]), manifest)
            if isinstance(counted, Status):
                found = counted
            else:
                listed = _probes(read_probes(paths["probes"]))
                found = _find(params, counted, list(_columns(manifest, file)), listed)
    if isinstance(found, Status):
        leave(found, paths, stage="attributes", version=VERSION, made_from=made_from)
        return
    write_attributes(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _count(params: Params, found: Evaluated, manifest: ManifestFile) -> Counted | Status:
    """Return the images of the headline accuracy, or why nothing can be said of them."""
    kept = found.label >= 0
    if found.held_out:
        kept &= np.array(manifest.split(), np.str_)[found.image_id] == found.held_out
    count, right = int(kept.sum()), int((found.label_rank[kept] == 0).sum())
    if not count:
        return Status("not applicable", NO_LABELS)
    if count < 2 * params.least:
        return Status(
            "not applicable",
            f"{count} labelled images are too few to compare: a bin has at least {params.least}",
        )
    if right in (0, count):
        every = "every one" if right else "none"
        return Status(
            "not applicable",
            f"the network gets {every} of {count} labelled images right: its mistakes go with nothing",
        )
    label = manifest.take_label(found.image_id[kept]).astype(np.int64)
    confidence = found.probability[kept].astype(np.float64)
    images = Images(label, found.label_rank[kept] == 0, confidence, params.seed)
    return Counted(found.image_id[kept], images, found.held_out)


def _probes(found: Probes | Status) -> NDArray[np.int64]:
    return np.zeros(0, np.int64) if isinstance(found, Status) else found.image_id


def _columns(manifest: ManifestFile, file: ThumbnailFile) -> Iterator[Column]:
    """Yield the attributes of all images of the manifest.

    Raises
    ------
    UserError
        If the thumbnails are of other images.
    """
    width, height = manifest.size()
    if not np.array_equal(file.image_id, np.arange(len(width))):
        raise UserError("thumbnails.h5: stale, of other images than the manifest; run thumbnails again")
    pixels = width.astype(np.float64) * height
    lengths = file.file_bytes()
    own = [column_of(name.replace("_", " "), "pixels", file.attribute(name)) for name in NAMES]
    own += [
        column_of("resolution", "file", pixels),
        column_of("aspect", "file", width / height),
        column_of("bytes a pixel", "file", np.where(lengths > 0, lengths / pixels, np.nan)),
    ]
    image, box = manifest.boxes()
    own += box_columns(image, box, width, height) if len(box) else []
    yield from own
    taken = {one.name for one in own}
    for name in manifest.attribute_names():
        called = f"{name} (column)" if name in taken else name
        yield column_of(called, "dataset", manifest.attribute(name))


def _find(
    params: Params, counted: Counted, columns: Sequence[Column], probes: NDArray[np.int64]
) -> Attributes:
    rows = [one.rows(counted.image_id) for one in columns]
    bins = [make_bins(one, counted.images.label, params.bins, params.least) for one in rows]
    varied = [place for place, one in enumerate(bins) if len(one) > 1]
    ranked = rank(
        [rows[place] for place in varied], [bins[place] for place in varied], counted.images,
        repeats=params.repeats, steps=params.steps, level=params.level,
    )  # fmt: skip
    order = [varied[place] for place in ranked.order.tolist()]
    effects = [
        _effect(params, rank, rows[place], bins[place], ranked, counted) for rank, place in enumerate(order)
    ]
    examples = [one.examples.ravel() for one in effects]
    listed = np.unique(np.concatenate([probes, *examples]))
    listed = listed[listed >= 0]
    images = counted.images
    overall = calibration_error(np.zeros_like(images.label), 1, images.right, images.confidence)
    return Attributes(
        len(images.label), int(images.right.sum()), counted.split,
        float(overall[0]), params.level, params.repeats,
        tuple(effects), tuple(effects[place].name for place in ranked.chain),
        tuple(columns[place].name for place in range(len(columns)) if place not in varied),
        _interaction([rows[place].name for place in order], [bins[place] for place in order], images),
        listed, {columns[place].name: _values(columns[place].rows(listed)) for place in order},
    )  # fmt: skip


def _effect(
    params: Params, place: int, column: Column, bins: Bins, ranked: Ranking, counted: Counted
) -> Effect:
    numbers = number_bins(bins, counted.images)
    examples = np.full((2, params.examples), -1, np.int64)
    if place < params.shown:
        rng = np.random.default_rng((params.seed, place))
        for line, one in zip(examples, (numbers.best, numbers.worst), strict=True):
            inside = counted.image_id[bins.place == one]
            drawn = rng.choice(inside, min(len(inside), params.examples), replace=False)
            line[: len(drawn)] = drawn
    return Effect(
        column.name, column.source, numbers, float(ranked.strength[place]), float(ranked.chance[place]),
        float(ranked.corrected[place]), float(ranked.within[place]), ranked.given[:, place], examples,
    )  # fmt: skip


def _interaction(names: Sequence[str], bins: Sequence[Bins], images: Images) -> Both | None:
    """Return the two first attributes together, of those whose bins are of images."""
    first = [place for place, one in enumerate(bins) if not one.by_class][:2]
    if len(first) < 2:
        return None
    one, other = first
    return interaction(bins[one], bins[other], (names[one], names[other]), images)


def _values(column: Column) -> NDArray[np.float64] | list[str]:
    if column.words is None:
        return np.asarray(column.values, np.float64)
    return [column.words[place] if place >= 0 else "" for place in column.values.tolist()]


def _numbers(found: Attributes) -> dict[str, object]:
    """Return the metrics: of each attribute its worst bin, and what survives."""
    numbers: dict[str, object] = {
        "images": found.images, "accuracy": found.right / found.images, "attributes": len(found.effects),
        "surviving": sum(one.corrected < found.level for one in found.effects),
    }  # fmt: skip
    numbers["effect"] = {
        one.name: {
            "worst_accuracy": float(one.bins.accuracy.min()),
            "best_accuracy": float(one.bins.accuracy.max()),
            "worst_error_ratio": _ratio(one.bins, found), "corrected_chance": one.corrected,
        }
        for one in found.effects
    }  # fmt: skip
    return numbers


def _ratio(bins: BinNumbers, found: Attributes) -> float:
    """Return the worst bin's share of mistakes, of that of all images."""
    return float((1 - bins.accuracy.min()) / (1 - found.right / found.images))


STAGE = Stage(
    name="attributes",
    run=run,
    params=Params,
    block="attributes",
    inputs={
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "probes": "artifacts/probes.h5",
        "thumbnails": "artifacts/thumbnails.h5",
    },
    outputs={"out": "artifacts/attributes.h5", "metrics": "metrics/attributes.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
