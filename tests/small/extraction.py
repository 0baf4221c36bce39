"""A dataset of tiny images, a network with random weights, and what an extraction needs of both."""

import numpy as np
import torch
from PIL import Image

from pipeline.extraction.extraction import extract
from pipeline.extraction.plan import make_plan, make_recipe
from pipeline.formats.manifest import write_manifest
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.manifest.manifest import Selection, build_manifest
from pipeline.model.architectures import BUILTIN
from pipeline.model.network import save_network

PREPROCESSING = Preprocessing(
    input_size=(32, 32), resize=(32, 32), crop="none", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)


def write_images(folder, count, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        path = folder / str(number % 3) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (10, 12, 3), dtype=np.uint8)).save(path)


def make_manifest(dataset, path, max_bad_fraction=0.5):
    manifest = build_manifest(dataset, Selection(max_bad_fraction=max_bad_fraction))
    write_manifest(manifest, path, dataset=str(dataset), max_bad_fraction=max_bad_fraction, params="00" * 32)


def make_weights(folder, tmp_path):
    torch.manual_seed(0)
    description = Description(
        architecture="builtin:digits", weights="random", classes=("a", "b", "c"), preprocessing=PREPROCESSING
    )
    return save_network(folder, BUILTIN["digits"](3).eval(), description, tmp_path)


def recipe(weights, **changes):
    settings = {
        "layers": "auto", "batch_size": 4, "precision": "float32", "statistics": True, "means": False,
    }  # fmt: skip
    return make_recipe(weights, **(settings | changes))


def plan(manifest, weights, **changes):
    return make_plan(manifest, recipe(weights, **changes), mean=8, largest=16)


def extract_small(manifest, weights, folder, *, candidates=6, **changes):
    made_from = {"manifest": "00" * 32}
    sizes = {"shard_mean": 8, "shard_largest": 16}
    extract(manifest, recipe(weights, **changes), folder, made_from, **sizes, candidates=candidates)
