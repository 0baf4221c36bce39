"""Artifacts of a few rows, written as the stages before would write them."""

import numpy as np

from pipeline import store
from pipeline.analyses.predictions.predictions import rank_outputs
from pipeline.formats import manifest, predictions, weights
from pipeline.formats.activations import Index, KeptLayer, Skipped, write_index
from pipeline.formats.class_names import ClassNames, write_class_names
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.manifest import Manifest
from pipeline.formats.manifest import Skipped as Unusable
from pipeline.formats.predictions import Calibration, Confusion, Evaluated, SplitCounts
from pipeline.formats.shards import INPUT_DIGEST, Contents, write_shard
from pipeline.formats.thumbnails import new_thumbnails
from pipeline.formats.weights import Description
from pipeline.images.attributes import PixelAttributes
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField

RELU = KeptLayer("relu", "map", 4, LayerGeometry((8, 8), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact")))
PREPROCESSING = Preprocessing(
    input_size=(8, 8), resize=None, crop="none", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
WEIGHTS = "0" * 64  # as of `write_description`
INDEX = Index((RELU,), "relu", 80, "float32", 32, "cpu AVX2")


def write_activations(folder, rows_of_shards=(7, 20, 13), **arrays):
    """Write arrays of N rows as shards; image ids leave out every fifth row of the manifest."""
    count = sum(rows_of_shards)
    image_id = np.array([row for row in range(2 * count) if row % 5 != 3])[:count]
    missing = np.setdiff1d(np.arange(image_id[-1]), image_id).tolist()
    skipped = [Skipped(row, "changed", "its bytes are others") for row in missing]
    write_shards(folder, INDEX, image_id, arrays, np.cumsum(rows_of_shards)[:-1], skipped)
    return image_id


def write_shards(folder, index, image_id, arrays, ends, skipped=()):
    """Write arrays of N rows as shards that end before the rows `ends`, and after the last, with an index."""
    parts = np.split(np.arange(len(image_id)), ends)
    names = [f"part-{number:02}.h5" for number in range(len(parts))]
    runs = [(name, image_id[rows]) for name, rows in zip(names, parts, strict=True)]
    write_index(folder, index, runs, skipped, made_from={"weights": WEIGHTS})
    # Every image is another one, unless the arrays say otherwise.
    digests = np.pad(image_id[:, None].astype(">u4").view(np.uint8), ((0, 0), (0, 12)))
    arrays = {INPUT_DIGEST: digests, **arrays}
    for name, rows in zip(names, parts, strict=True):
        of_shard = {key: values[rows] for key, values in arrays.items()}
        contents = Contents(np.arange(len(rows)), [])
        write_shard(folder / name, of_shard, contents, code_layer="", made_from={})


def write_manifest(path, label, class_names, split=None, size=None, drawn=0):
    """Write a manifest of files that are not there; the first two have equal bytes, and one was skipped.

    Every image is 8 x 8 pixels unless `size` (N, 2) says otherwise; the splits of `drawn` images were drawn.
    """
    count = len(label)
    return _write_manifest(
        path, "data/small", [f"class/{row:05}.png" for row in range(count)],
        [f"{max(row, 1):064x}" for row in range(count)], label, list(class_names), split, size,
        [Unusable("class/<b>.png", "zero bytes", "it is empty")], drawn,
    )  # fmt: skip


def write_manifest_of(path, dataset, names, label=None, size=None, split=None):
    """Write the manifest of the files `names` in a folder, sorted; class0 is the first class.

    By default all are of class0 and split train, and 8 x 8 pixels.
    """
    label = np.zeros(len(names), np.int32) if label is None else np.asarray(label)
    digests = [store.digest(dataset / name) for name in names]
    classes = [f"class{number}" for number in range(label.max() + 1)]
    return _write_manifest(path, str(dataset), names, digests, label, classes, split, size, [])


def _write_manifest(path, dataset, names, digests, label, classes, split, size, skipped, drawn=0):
    count = len(names)
    listed = Manifest(
        path=names, label=np.asarray(label, np.int32), class_names=classes, split=split or ["train"] * count,
        size=np.full((count, 2), 8, np.int32) if size is None else np.asarray(size, np.int32),
        sha256=digests, attributes={}, box_image=np.zeros(0, np.int64), box=np.zeros((0, 4), np.float32),
        skipped=skipped, splits_drawn=drawn,
    )  # fmt: skip
    manifest.write_manifest(listed, path, dataset=dataset, max_bad_fraction=0.0, params="00" * 32)
    return path


def write_description(folder, classes, training=None):
    """Write the description of a network without a network; `training` says how it was trained here."""
    folder.mkdir(parents=True, exist_ok=True)
    weights.write_description(
        folder,
        Description(
            architecture="builtin:small", weights="train" if training else "small.pth",
            classes=tuple(classes), preprocessing=PREPROCESSING, digest="0" * 64, training=training,
        ),
    )  # fmt: skip
    return folder


def write_thumbnails(path, shades, side=8, brightness=None):
    """Write one thumbnail an image, each of one grey; where given, `brightness` alone is measured."""
    shades = np.asarray(shades, np.uint8)
    with new_thumbnails(path, np.arange(len(shades)), side, made_from={}) as writer:
        for number, shade in enumerate(shades):
            if brightness is not None:
                writer.measured(PixelAttributes(brightness[number], *[np.nan] * 5), 100)
            writer.add(np.full((side, side, 3), shade), side, side)
    return path


def write_predictions(path, image_id, predicted, output_name, logits=None):
    """Write predictions for images without labels, by a network whose first three outputs are the classes.

    Where `logits` are given, the first outputs are theirs.
    """
    ranked = rank_outputs(np.eye(len(output_name))[predicted] if logits is None else logits, predicted)
    none = np.full(len(image_id), -1, np.int32)
    bins, splits = np.zeros(2), np.zeros(1, np.int64)
    predictions.write_predictions(
        path,
        Evaluated(
            image_id=image_id, predicted=predicted, probability=np.ones(len(image_id), np.float32),
            label=none, label_rank=none, log_loss=np.full(len(image_id), np.nan, np.float32),
            leading=ranked.leading, leading_probability=ranked.leading_probability,
            confusion=Confusion(none[:0], none[:0], splits[:0]),
            calibration=Calibration(bins, bins, bins.astype(np.int64), bins, bins + 1),
            splits=SplitCounts(("train",), splits + len(image_id), splits, splits, splits),
            class_output=np.arange(3, dtype=np.int32), output_name=tuple(output_name), held_out="",
            basis="unknown",
        ),
        made_from={},
    )  # fmt: skip
    return path


def write_names(path, of_class, of_output=()):
    """Write what classes and outputs are called."""
    write_class_names(path, ClassNames(tuple(of_class), tuple(of_output)), made_from={})
    return path
