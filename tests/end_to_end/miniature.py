"""The parameters of the miniature, as changes to params.yaml."""

from typing import Any

PARAMS: dict[str, Any] = {
    "sample.dataset": "none",
    "dataset.path": "pictures",
    "dataset.held_out": 0.3,
    "dataset.max_bad_fraction": 0.1,
    "model.architecture": "builtin:digits",
    "model.training.epochs": 2,
    "model.training.learning_rate": 0.004,
    "model.training.batch_size": 64,
    "model.training.shift": 2,
    "model.training.weight_decay": 0.01,
    "model.training.checkpoints": [0, 2],
    "extract.batch_size": 16,
    "extract.shards.mean": 16,
    "extract.shards.largest": 32,
    "probes.most": 6,
    "occlusion.stride": 0.25,
    "class_models.steps": 30,
    "topk.k": 3,
    "topk.margin": 2,
    "patches.units": 2,
    "patches.side": 16,
    "outlines.sample": 20,
    "directions.count": 4,
    "directions.drawn": 2,
    "directions.side": 16,
    "directions.sample": 8,
    "projections.units": 2,
    "embedding.perplexity": 5,
    "embedding.iterations": 50,
    "embedding.n_jobs": 1,
    "training_dynamics.sample": 20,
    "similarity.sample": 12,
    "thumbnails.side": 16,
    "render_summary.examples": 3,
    "render_patches.units": 2,
    "render_embedding.canvas": 300,
}
# Small batches in small shards: an extraction that can be killed in the middle.
MANY_SHARDS: dict[str, Any] = {"extract.batch_size": 1, "extract.shards.mean": 1, "extract.shards.largest": 1}
