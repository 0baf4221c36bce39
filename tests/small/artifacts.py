"""Artifacts of a few rows, written as the stages before would write them."""

import numpy as np

from pipeline.formats import manifest, predictions, weights
from pipeline.formats.activations import Index, KeptLayer, Skipped, write_index
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.manifest import Manifest
from pipeline.formats.manifest import Skipped as Unusable
from pipeline.formats.predictions import Calibration, Evaluated, SplitCounts
from pipeline.formats.shards import Contents, write_shard
from pipeline.formats.thumbnails import new_thumbnails
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField

RELU = KeptLayer("relu", "map", 4, LayerGeometry((8, 8), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact")))
PREPROCESSING = Preprocessing(
    input_size=(8, 8), resize=None, crop="none", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
INDEX = Index((RELU,), "relu", 80, "float32", 32, "cpu AVX2")


def write_activations(folder, rows_of_shards=(7, 20, 13), **arrays):
    """Write arrays of N rows as shards; image ids leave out every fifth row of the manifest."""
    count = sum(rows_of_shards)
    image_id = np.array([row for row in range(2 * count) if row % 5 != 3])[:count]
    names = [f"part-{number:02}.h5" for number in range(len(rows_of_shards))]
    ends = np.cumsum(rows_of_shards)[:-1]
    missing = np.setdiff1d(np.arange(image_id[-1]), image_id).tolist()
    write_index(
        folder, INDEX, list(zip(names, np.split(image_id, ends), strict=True)),
        [Skipped(row, "changed", "its bytes are others") for row in missing], made_from={},
    )  # fmt: skip
    for number, name in enumerate(names):
        parts = {key: np.split(values, ends)[number] for key, values in arrays.items()}
        contents = Contents(np.arange(rows_of_shards[number]), [])
        write_shard(folder / name, parts, contents, code_layer="", made_from={})
    return image_id


def write_manifest(path, label, class_names, split=None, size=None):
    """Write a manifest; every image is 8 x 8 pixels unless `size` says otherwise; the first two are equal."""
    count = len(label)
    listed = Manifest(
        path=[f"class/{row:05}.png" for row in range(count)],
        label=np.asarray(label, np.int32),
        class_names=list(class_names),
        split=split if split is not None else ["train"] * count,
        size=np.full((count, 2), 8, np.int32) if size is None else np.asarray(size, np.int32),
        sha256=[f"{max(row, 1):064x}" for row in range(count)],
        attributes={},
        box_image=np.zeros(0, np.int64),
        box=np.zeros((0, 4), np.float32),
        skipped=[Unusable("class/<b>.png", "zero bytes", "it is empty")],
    )
    manifest.write_manifest(listed, path, dataset="data/small", max_bad_fraction=0.0, params="00")
    return path


def write_description(folder, classes):
    """Write the description of a network without writing a network."""
    folder.mkdir(parents=True, exist_ok=True)
    weights.write_description(
        folder,
        Description(
            architecture="builtin:small", weights="train", classes=tuple(classes),
            preprocessing=PREPROCESSING, digest="0" * 64,
        ),
    )  # fmt: skip
    return folder


def write_thumbnails(path, shades, side=8):
    """Write one thumbnail an image, each of one grey."""
    shades = np.asarray(shades, np.uint8)
    with new_thumbnails(path, np.arange(len(shades)), side, made_from={}) as writer:
        for shade in shades:
            writer.add(np.full((side, side, 3), shade), side, side)
    return path


def write_predictions(path, image_id, predicted, output_name):
    """Write predictions for images without labels, by a network whose first three outputs are the classes."""
    none = np.full(len(image_id), -1, np.int32)
    bins, splits, outputs = np.zeros(2), np.zeros(1, np.int64), len(output_name)
    predictions.write_predictions(
        path,
        Evaluated(
            image_id=image_id, predicted=predicted, probability=np.ones(len(image_id), np.float32),
            label=none, label_rank=none, log_loss=np.full(len(image_id), np.nan, np.float32),
            confusion=np.zeros((outputs, outputs), np.int64),
            calibration=Calibration(bins, bins, bins.astype(np.int64), bins, bins + 1),
            splits=SplitCounts(("train",), splits + len(image_id), splits, splits, splits),
            class_output=np.arange(3, dtype=np.int32), output_name=tuple(output_name), held_out="",
        ),
        made_from={},
    )  # fmt: skip
    return path
