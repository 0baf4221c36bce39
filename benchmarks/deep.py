"""A project as deep and as large as the budgets of a report mean: `python -m benchmarks.deep FOLDER`.

FOLDER becomes a clone of this project with a network of 32 layers of 64 units, 1,000 classes, 50,000
photo-like images of 96 x 72 pixels, all of them on the map, and params that name them; all else is as the
project ships it. There ``dvc repro`` makes the report, and ``python -m benchmarks.budgets report`` holds it
against its budgets.

The network's layers are random. A class has a tint, and the classifier takes an image for the class whose
mean code, of training images, is nearest, so that maps have islands and some held-out images are taken for
what they are.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import yaml
from PIL import Image
from torch import nn

from benchmarks import deep_network
from benchmarks.deep_network import CLASSES
from benchmarks.photographs import QUALITY, photograph
from benchmarks.processes import ROOT
from pipeline.images.network_input import normalise, prepare
from pipeline.images.preprocess import Preprocessing

WIDTH, HEIGHT, INPUT = 96, 72, 32  # pixels
TINT = 0.65  # share of a picture that is its class's colour
HELD_OUT = 5  # one of so many
LEARNT_FROM = 10  # images of a class, for its mean code
CONTRAST = 20  # twice what the mean code of a class scores above that of all images, in the mean of classes
IMAGES = Path("photographs")
NETWORK, WEIGHTS = Path("inputs/network/deep.py"), Path("inputs/network/deep.pth")
PREPROCESSING = {"input_size": INPUT, "resize": INPUT, "mean": [0.45] * 3, "std": [0.25] * 3}


def params(images: int) -> dict[str, dict[str, Any]]:
    """Return what differs from the params that the project ships, block by block."""
    return {
        "sample": {"dataset": "none"},
        "dataset": {"path": str(IMAGES)},
        "model": {
            "architecture": f"{NETWORK}:build",
            "weights": str(WEIGHTS),
            "preprocessing": PREPROCESSING,
        },
        "extract": {"shards": {"mean": 1000, "largest": 4000}},
        "excited_units": {"images": images},
        "neighbours": {"images": images},
        "render_embedding": {"viewer_images": images},
    }


def place(number: int, images: int) -> Path:
    """Return where picture `number` of so many lies: its split, its class, its name."""
    turns = images // CLASSES
    split = "val" if number // CLASSES >= turns - turns // HELD_OUT else "train"
    return IMAGES / split / f"{number % CLASSES:03d}" / f"{number:05d}.jpg"


def picture(number: int) -> Image.Image:
    """Make picture `number`, tinted as its class is."""
    tint = np.random.default_rng(number % CLASSES).integers(0, 256, 3)
    colour = Image.new("RGB", (WIDTH, HEIGHT), tuple(tint.tolist()))
    return Image.blend(photograph(number, WIDTH, HEIGHT), colour, TINT)


def write(number: int, folder: Path, images: int) -> None:
    """Write picture `number` into its place."""
    file = folder / place(number, images)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture(number).save(file, quality=QUALITY)


def inputs(folder: Path, images: int, turn: int) -> torch.Tensor:
    """Return the network's inputs of the image of each class that comes in a turn, (classes, 3, 32, 32)."""
    preprocessing = Preprocessing.model_validate(PREPROCESSING)
    files = [folder / place(turn * CLASSES + label, images) for label in range(CLASSES)]
    pixels = [prepare(np.asarray(Image.open(file)), preprocessing) for file in files]
    return torch.from_numpy(normalise(np.stack(pixels), preprocessing))


@torch.no_grad()
def write_network(folder: Path, images: int) -> None:
    """Write the network and its weights: random ones, and the classifier's from the classes' mean codes."""
    shutil.copyfile(deep_network.__file__, folder / NETWORK)
    torch.manual_seed(0)
    network = deep_network.build()
    body, classifier = network[:-1], cast("nn.Linear", network[-1])
    turns = images // CLASSES
    learnt = min(LEARNT_FROM, turns - turns // HELD_OUT)
    mean = torch.stack([body(inputs(folder, images, turn)) for turn in range(learnt)]).mean(0)
    # The nearest mean m of a code c has the largest 2 c m - m m; c's length is the same for all classes.
    middle = mean.mean(0)
    about = mean - middle
    scale = CONTRAST / about.square().sum(1).mean()
    classifier.weight.copy_(scale * about)
    classifier.bias.copy_(-scale * (about * (mean + middle)).sum(1) / 2)
    torch.save(network.state_dict(), folder / WEIGHTS)


def write_params(folder: Path, images: int) -> None:
    """Lay what differs over the params that the project ships."""
    shipped = yaml.safe_load((folder / "params.yaml").read_text())
    for block, changes in params(images).items():
        shipped[block] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(shipped, sort_keys=False))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the project."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.deep", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=50_000, help="a multiple of 1,000, the classes")
    options = parser.parse_args(arguments)
    folder, images = options.folder, options.images
    if images < CLASSES or images % CLASSES:
        parser.error(f"--images {images}: each of {CLASSES:,} classes has as many; give a multiple of it")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(write, folder=folder, images=images), range(images), chunksize=64))
    write_network(folder, images)
    write_params(folder, images)
    return 0


if __name__ == "__main__":
    sys.exit(main())
