"""List the images of the dataset with their labels, splits, sizes and digests, and what had to be skipped."""

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.errors import some
from pipeline.formats.manifest import Manifest, write_manifest
from pipeline.manifest.manifest import Selection, build_manifest
from pipeline.params import digest
from stages.blocks.dataset import Params
from stages.command import Stage, execute

DEFAULT_DATASET = "data/letters/letters.csv"
MOST_LISTED = 20

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Build the manifest of the dataset at `params.path`, or at the path given on the command line."""
    given = paths.get("dataset")
    dataset = params.path if given is None or str(given) == DEFAULT_DATASET else str(given)
    selection = Selection(params.sample, params.held_out, params.seed, params.max_bad_fraction, params.check)
    manifest = build_manifest(Path(dataset), selection)
    write_manifest(
        manifest,
        paths["out"],
        dataset=dataset,
        max_bad_fraction=params.max_bad_fraction,
        params=digest(params),
    )
    _summarise(manifest)


def _summarise(manifest: Manifest) -> None:
    """Say what the manifest holds and what was odd about the dataset."""
    classes, images = len(manifest.class_names), len(manifest.path)
    twice = f"{manifest.duplicates} duplicate{'s' * (manifest.duplicates != 1)}"
    log.info("%d images, %d classes, %s", images, classes, twice)
    _tell_classes(manifest)
    by_split = [f"{name}: {count}" for name, count in sorted(Counter(manifest.split).items())]
    drawn = ", drawn here (dataset.held_out)" if manifest.splits_drawn else ""
    log.info("by split%s: %s", drawn, some(by_split, MOST_LISTED))
    _tell_lacks(manifest)
    if manifest.notes:
        odd = some([": ".join(note) for note in manifest.notes], MOST_LISTED)
        log.warning("odd images that are taken all the same: %d: %s", len(manifest.notes), odd)
    if manifest.skipped:
        _tell_skipped(manifest)


def _tell_classes(manifest: Manifest) -> None:
    counts = _by_class(manifest)
    if counts:
        by_class = [f"{name}: {count}" for name, count in counts.items()]
        log.info("by class: %s", some(by_class, MOST_LISTED))


def _tell_lacks(manifest: Manifest) -> None:
    """Say which images have no label, and which classes have no image."""
    unlabelled = int((manifest.label < 0).sum())
    if unlabelled:
        log.warning("images without a label: %d", unlabelled)
    empty = [name for name, count in _by_class(manifest).items() if not count]
    if empty:
        log.warning("classes without an image: %d: %s", len(empty), some(empty, MOST_LISTED))


def _tell_skipped(manifest: Manifest) -> None:
    reasons = Counter(item.reason for item in manifest.skipped)
    by_reason = [f"{reason}: {count}" for reason, count in sorted(reasons.items())]
    log.warning("images skipped: %d: %s", len(manifest.skipped), some(by_reason, MOST_LISTED))
    for item in manifest.skipped[:MOST_LISTED]:
        log.warning("skipped %s: %s: %s", item.path, item.reason, item.message)


def _by_class(manifest: Manifest) -> dict[str, int]:
    """Count the images of each class."""
    counts = np.bincount(manifest.label[manifest.label >= 0], minlength=len(manifest.class_names))
    return dict(zip(manifest.class_names, counts.tolist(), strict=True))


STAGE = Stage(
    name="manifest",
    run=run,
    params=Params,
    block="dataset",
    inputs={"dataset": DEFAULT_DATASET},
    outputs={"out": "artifacts/manifest.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
