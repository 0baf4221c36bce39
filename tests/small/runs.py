"""A run of forty images, as the stages would leave it in a project's folder, for comparisons."""

import json

import numpy as np

from pipeline.formats import predictions
from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.embedding import Embedding, write_embedding
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.predictions import Calibration, Confusion, Evaluated, SplitCounts
from pipeline.formats.shards import mean
from pipeline.formats.topk import About, RankedLayer, write_topk
from pipeline.numerics.geometry import ReceptiveField
from tests.small.artifacts import write_manifest, write_shards, write_thumbnails

IMAGES, UNITS, K = 40, 4, 3
CLASSES = ("<b>bird</b>", "cat")
GEOMETRY = LayerGeometry((8, 8), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))
LABEL = np.arange(IMAGES) % 2


def write_run(folder, *, wrong=(), seed=0, params=None, metrics=None, labelled=True, layer="relu"):
    """Write the artifacts of a network that is wrong of some images; another seed is another network."""
    rng, artifacts = np.random.default_rng(seed), folder / "artifacts"
    artifacts.mkdir(parents=True)
    split = ["train" if row < 8 else "held-out" for row in range(IMAGES)]
    label = LABEL if labelled else np.full(IMAGES, -1)
    write_manifest(artifacts / "manifest.h5", label, CLASSES, split=split)
    write_thumbnails(artifacts / "thumbnails.h5", np.arange(IMAGES))
    _write_predictions(artifacts / "predictions.h5", np.isin(np.arange(IMAGES), wrong), label, rng)
    means = rng.random((IMAGES, UNITS)).astype(np.float32)
    _write_topk(artifacts / "topk.h5", means, layer)
    index = Index((KeptLayer(layer, "map", UNITS, GEOMETRY),), layer, IMAGES, "float32", 32, "cpu AVX2")
    write_shards(artifacts / "activations", index, np.arange(IMAGES), {mean(layer): means}, [10, 25])
    _write_embedding(artifacts / "embedding.h5", rng.normal(size=(IMAGES, 2)))
    (folder / "metrics").mkdir()
    (folder / "metrics/topk.json").write_text(json.dumps(metrics or {"dead": 1}))
    (folder / "params.yaml").write_text(json.dumps(params or {"model": {"training": {"seed": seed}}}))
    return folder


def _write_predictions(path, wrong, label, rng):
    zeros, bins = np.zeros(1, np.int64), np.zeros(1)
    predicted = np.where(wrong, 1 - LABEL, LABEL).astype(np.int32)
    loss = np.where(label < 0, np.nan, wrong + rng.random(IMAGES))
    predictions.write_predictions(
        path,
        Evaluated(
            image_id=np.arange(IMAGES), predicted=predicted,
            probability=rng.random(IMAGES).astype(np.float32), label=label.astype(np.int32),
            label_rank=np.where(label < 0, -1, wrong).astype(np.int32), log_loss=loss.astype(np.float32),
            leading=predicted[:, None], leading_probability=np.ones((IMAGES, 1), np.float32),
            confusion=Confusion(zeros[:0].astype(np.int32), zeros[:0].astype(np.int32), zeros[:0]),
            calibration=Calibration(bins, bins, zeros, bins, bins + 1),
            splits=SplitCounts(("all",), zeros, zeros, zeros, zeros),
            class_output=np.arange(2, dtype=np.int32), output_name=CLASSES, held_out="held-out",
            basis="held out",
        ),
        made_from={},
    )  # fmt: skip


def _write_topk(path, maxima, name):
    order = np.argsort(-maxima.T, axis=1, kind="stable")[:, :K]
    counts = np.full(UNITS, IMAGES)
    layer = RankedLayer(
        GEOMETRY, np.take_along_axis(maxima.T, order, axis=1), order, np.zeros((UNITS, K, 2), np.uint16),
        np.zeros((UNITS, K, 4), np.float32), counts, np.ones_like(counts), np.zeros((UNITS, K), np.bool_),
    )  # fmt: skip
    write_topk(path, About((name,), IMAGES, K, 0, (8, 8)), iter([layer]), made_from={})


def _write_embedding(path, xy):
    grid = np.stack((np.arange(IMAGES) % 8, np.arange(IMAGES) // 8), axis=1).astype(np.int32)
    found = Embedding(
        np.arange(IMAGES), xy.astype(np.float32), grid, LABEL.astype(np.int32), np.arange(IMAGES), (8, 5),
        "cosine", {},
    )  # fmt: skip
    write_embedding(path, found, made_from={})
