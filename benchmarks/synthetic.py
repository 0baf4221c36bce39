"""Artifacts of a network that never was, as large as one likes: for stages that read activations alone.

``python -m benchmarks.synthetic FOLDER --images 1000000 --units 2000`` writes, below FOLDER,

- ``artifacts/activations``: one dense layer of that many units, which is the code layer, in shards of 1,000
  images: codes and maxima (one array), with ``--means`` the means, logits, statistics, digests;
- ``artifacts/manifest.h5``: images with labels, a fifth of them in split test;
- ``artifacts/class_names.h5`` and the description ``artifacts/weights/model.json``;
- ``artifacts/thumbnails.h5`` (coarse noise, tinted by the class), ``artifacts/predictions.h5``, and
  ``artifacts/probes.h5`` and ``artifacts/training_dynamics.h5``, which say that they were not run.

Values are as after a ReLU: some units answer to all images, others to few or, one in a hundred, to none; each
image is its class's centre and noise, so that neighbours and linear probes find something; every second unit
follows the one before it. Every shard has values of its own: 8 KB an image of 2,000 units before compression,
and about half of it on disk.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.formats import probes, shards, training_dynamics
from pipeline.formats.activations import Index, KeptLayer, write_index
from pipeline.formats.class_names import ClassNames, write_class_names
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.manifest import Manifest, write_manifest
from pipeline.formats.predictions import (
    Calibration,
    Confusion,
    Evaluated,
    SplitCounts,
    write_predictions,
)
from pipeline.formats.shards import Contents, write_shard
from pipeline.formats.status import not_run, write_status
from pipeline.formats.thumbnails import new_thumbnails
from pipeline.formats.weights import Description, write_description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import GLOBAL, whole

LAYER = "code"
ROWS = 1000  # images in a shard
SIDE, THUMBNAIL = 8, 48  # pixels
NEVER = 100  # one unit in as many is never active


class Images:
    """Labels and activations of N images, made shard by shard.

    Parameters
    ----------
    images, units, classes
        How many; images a multiple of 1,000.
    seed
        Of everything.
    """

    def __init__(self, images: int, units: int, classes: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.units, self.classes, self.seed = units, classes, seed
        self.label = rng.integers(0, classes, images).astype(np.int32)
        self._centres = rng.standard_normal((classes, units), np.float32)
        # How far below zero a unit rests: from active on nearly all images to active on few.
        self._rest = np.linspace(-1, 4, units, dtype=np.float32)
        rng.shuffle(self._rest)

    def values(self, part: int) -> NDArray[np.float32]:
        """Return the activations (1000, units) of a shard's images."""
        rng = np.random.default_rng((self.seed, part))
        values = rng.standard_normal((ROWS, self.units), np.float32)
        follows = values[:, 1::2]
        follows += 2 * values[:, : 2 * follows.shape[1] : 2]
        values += self._centres[self.label[part * ROWS : (part + 1) * ROWS]] - self._rest
        np.maximum(values, 0, out=values)
        values[:, ::NEVER] = 0
        return values


def write_artifacts(folder: Path, made: Images, *, means: bool = False) -> None:
    """Write everything below a folder, as ``artifacts/…``."""
    artifacts, images = folder / "artifacts", len(made.label)
    activations = artifacts / "activations"
    activations.mkdir(parents=True, exist_ok=True)
    files = list(_write_shards(activations, made, means=means))
    layer = KeptLayer(LAYER, "dense", made.units, LayerGeometry((1, 1), whole((SIDE, SIDE), GLOBAL)))
    index = Index((layer,), LAYER, images, "float32", 64, "synthetic")
    write_index(activations, index, files, [], made_from={})
    names = tuple(f"class {number}" for number in range(made.classes))
    _write_manifest(artifacts / "manifest.h5", made.label, names)
    write_class_names(artifacts / "class_names.h5", ClassNames(names, names), made_from={})
    (artifacts / "weights").mkdir(exist_ok=True)
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), resize=None, crop="none")
    described = Description(
        architecture="builtin:none", weights="none", classes=names, preprocessing=preprocessing,
        digest="0" * 64,
    )  # fmt: skip
    write_description(artifacts / "weights", described)
    _write_thumbnails(artifacts / "thumbnails.h5", made)
    _write_predictions(artifacts / "predictions.h5", made, names)
    for name, version in (("probes", probes.VERSION), ("training_dynamics", training_dynamics.VERSION)):
        write_status(artifacts / f"{name}.h5", not_run(name), stage=name, version=version)


def _write_shards(folder: Path, made: Images, *, means: bool) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for part in range(len(made.label) // ROWS):
        values, name = made.values(part), f"part-{part:05d}.h5"
        image_id = np.arange(part * ROWS, (part + 1) * ROWS)
        arrays = {
            shards.value(LAYER): values,
            shards.CODES: values,
            shards.position(LAYER): np.zeros((*values.shape, 2), np.uint16),
            shards.LOGITS: _logits(made, image_id),
            shards.INPUT_DIGEST: np.pad(image_id[:, None].astype(">i8").view(np.uint8), ((0, 0), (0, 8))),
            shards.zeros(LAYER): np.count_nonzero(values == 0, axis=0),
            shards.outputs(LAYER): np.array(ROWS),
            shards.largest_before(LAYER): np.where(values.max(0) > 0, values.max(0), np.float32(-1)),
        }
        if means:
            arrays[shards.mean(LAYER)] = values
        contents = Contents(np.arange(ROWS), [])
        write_shard(folder / name, arrays, contents, code_layer=LAYER, made_from={})
        yield name, image_id


def _logits(made: Images, image_id: NDArray[np.int64]) -> NDArray[np.float32]:
    """Right on nine images of ten."""
    label = np.where(image_id % 10, made.label[image_id], 0)
    return 5 * (np.arange(made.classes) == label[:, None]).astype(np.float32)


def _write_manifest(path: Path, label: NDArray[np.int32], names: Sequence[str]) -> None:
    count = len(label)
    listed = Manifest(
        path=[f"images/{row:08d}.png" for row in range(count)], label=label, class_names=list(names),
        split=["train" if row % 5 else "test" for row in range(count)],
        size=np.full((count, 2), SIDE, np.int32), sha256=[f"{row:064x}" for row in range(count)],
        attributes={}, box_image=np.zeros(0, np.int64), box=np.zeros((0, 4), np.float32), skipped=[],
        splits_drawn=0,
    )  # fmt: skip
    write_manifest(listed, path, dataset="images", max_bad_fraction=0.0, params="0" * 64)


def _write_thumbnails(path: Path, made: Images) -> None:
    image_id = np.arange(len(made.label))
    tint = np.random.default_rng(made.seed).integers(0, 128, (made.classes, 3))
    with new_thumbnails(path, image_id, THUMBNAIL, made_from={}) as writer:
        for part in np.split(image_id, len(image_id) // ROWS):
            noise = np.random.default_rng((made.seed, int(part[0]))).integers(0, 128, (len(part), 6, 6, 3))
            coarse = (noise + tint[made.label[part], None, None]).astype(np.uint8)
            for pixels in coarse.repeat(THUMBNAIL // 6, axis=1).repeat(THUMBNAIL // 6, axis=2):
                writer.add(pixels, THUMBNAIL, THUMBNAIL)


def _write_predictions(path: Path, made: Images, names: Sequence[str]) -> None:
    """Write what the logits say; only which split is held out, and what is predicted, mean anything."""
    images, bins, none = len(made.label), np.zeros(1), np.zeros(0, np.int32)
    counts = np.array([images], np.int64)
    predicted = np.where(np.arange(images) % 10, made.label, 0).astype(np.int32)
    evaluated = Evaluated(
        image_id=np.arange(images), predicted=predicted,
        probability=np.ones(images, np.float32), label=made.label, label_rank=np.zeros(images, np.int32),
        log_loss=np.zeros(images, np.float32), leading=predicted[:, None],
        leading_probability=np.ones((images, 1), np.float32),
        confusion=Confusion(none, none, none.astype(np.int64)),
        calibration=Calibration(bins, bins, bins.astype(np.int64), bins, bins),
        splits=SplitCounts(("test",), counts, counts, counts, counts),
        class_output=np.arange(made.classes, dtype=np.int32), output_name=tuple(names), held_out="test",
        basis="declared",
    )  # fmt: skip
    write_predictions(path, evaluated, made_from={})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write artifacts."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.synthetic", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000, help="a multiple of 1000")
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--means", action="store_true")
    options = parser.parse_args(arguments)
    made = Images(options.images // ROWS * ROWS, options.units, options.classes)
    write_artifacts(options.folder, made, means=options.means)
    return 0


if __name__ == "__main__":
    sys.exit(main())
