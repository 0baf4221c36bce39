"""Training a small network on a dataset: seeded, in one thread on the CPU, so that it can be repeated.

- `read_labelled`: the training and the held-out images of a manifest, as the network sees them
- `train`: the network before the first epoch and after each
- `save_checkpoint`: its weights at such a moment
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.dataset.originals import Originals, originals
from pipeline.errors import UserError
from pipeline.formats.manifest import open_manifest
from pipeline.images.decoding import ImageError
from pipeline.images.network_input import normalise, prepare
from pipeline.images.preprocess import Preprocessing
from pipeline.model.outputs import logits_of
from pipeline.parallel.processes import count_workers
from pipeline.parallel.threads import ordered
from pipeline.progress import progress

# Held in memory while training: enough for CIFAR-10, far from enough for ImageNet.
LARGEST_BYTES = 4 << 30


@dataclass(frozen=True)
class Schedule:
    """How to train.

    Attributes
    ----------
    epochs
        Passes over the training images.
    learning_rate
        The peak of a one-cycle schedule of AdamW (Smith & Topin 2017; Loshchilov & Hutter 2019).
    batch_size
        Images in a step.
    shift
        Largest random translation of an image in each direction, pixels of the network input.
    weight_decay
        Of AdamW.
    seed
        Of the initial weights, the order of the images, and the shifts.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    shift: int
    weight_decay: float
    seed: int


@dataclass(frozen=True)
class Labelled:
    """Images as the network sees them: pixels (n, h, w, C) uint8, labels (n,) int64."""

    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; epoch 0 is the untrained network, which has no training loss.

    `correct` counts the held-out images, `total` of them, whose largest logit is their label's.
    """

    number: int
    train_loss: float | None
    held_out_loss: float
    correct: int
    total: int


def read_labelled(manifest: Path, preprocessing: Preprocessing) -> tuple[Labelled, Labelled]:
    """Read the labelled images of a manifest as the network sees them.

    Parameters
    ----------
    manifest
        ``manifest.h5``. Its split "train" is for training, every other is held out.
    preprocessing
        How an image is resized and cropped.

    Returns
    -------
    training, held_out : Labelled

    Raises
    ------
    UserError
        If there are no labels, one of the two is empty, or they do not fit into memory.
    """
    with open_manifest(manifest) as file:
        labels = file.label().astype(np.int64)
        is_training = np.array(file.split()) == "train"
        ids = np.flatnonzero(labels >= 0)
        images = originals(file, ids)
    needed = len(ids) * preprocessing.channels * math.prod(preprocessing.input_size)
    _check_both(is_training[ids], "see dataset.held_out")
    if needed > LARGEST_BYTES:
        raise UserError(
            f"model.weights: training holds its images in memory, {needed / 1e9:.0f} GB here and at most "
            f"{LARGEST_BYTES / 1e9:.0f}; set dataset.sample, or give a checkpoint"
        )
    kept, pixels = _prepared(images, preprocessing)
    chosen = is_training[kept]
    _check_both(chosen, f"only {len(kept)} of {len(ids)} can be read: run the manifest stage again")
    return Labelled(pixels[chosen], labels[kept][chosen]), Labelled(pixels[~chosen], labels[kept][~chosen])


def _check_both(is_training: np.ndarray, remedy: str) -> None:
    if not (is_training.any() and (~is_training).any()):
        raise UserError(f"model.weights: train needs labelled images for training and held out; {remedy}")


def _prepared(images: Originals, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the images that could be read, and their pixels (n, h, w, C)."""

    def load(image_id: int) -> tuple[int, np.ndarray] | None:
        try:
            return image_id, prepare(images.read(image_id), preprocessing)
        except ImageError:
            # Extraction lists what cannot be read; training does without.
            return None

    loaded = [
        item for item in ordered(load, images.image_id.tolist(), threads=count_workers()) if item is not None
    ]
    pixels = np.zeros((len(loaded), *preprocessing.input_size, preprocessing.channels), np.uint8)
    for row, (_, image) in enumerate(loaded):
        pixels[row] = image
    return np.array([image_id for image_id, _ in loaded], np.int64), pixels


def train(
    build: Callable[[], nn.Module],
    data: tuple[Labelled, Labelled],
    preprocessing: Preprocessing,
    schedule: Schedule,
) -> Iterator[tuple[Epoch, nn.Module]]:
    """Train a network, giving it back before the first epoch and after each.

    Parameters
    ----------
    build
        Makes the network; called after the seed is set.
    data
        Training images and held-out images.
    preprocessing
        How pixels are normalised.
    schedule
        How to train.

    Yields
    ------
    (Epoch, Module)
        The same module every time, changed in between.
    """
    torch.set_num_threads(1)
    torch.manual_seed(schedule.seed)
    network = build()
    training, held_out = data
    yield _evaluate(network, held_out, preprocessing, 0, None), network
    shuffler = np.random.default_rng(schedule.seed)
    steps = -(-len(training.labels) // schedule.batch_size)
    optimiser = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.learning_rate, schedule.epochs * steps)
    with progress("training", total=schedule.epochs, unit="epochs") as bar:
        for number in range(1, schedule.epochs + 1):
            losses = []
            for batch in _batches(training, preprocessing, schedule, shuffler):
                losses.append(_step(network, batch, optimiser))
                rates.step()
            bar.advance()
            yield _evaluate(network, held_out, preprocessing, number, float(np.mean(losses))), network


def save_checkpoint(weights_dir: Path, network: nn.Module, epoch: int) -> None:
    """Keep the weights after an epoch, as ``checkpoints/epoch-<number>.safetensors``."""
    folder = weights_dir / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / f"epoch-{epoch:04d}.safetensors")


def _batches(
    images: Labelled, preprocessing: Preprocessing, schedule: Schedule, shuffler: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = shuffler.permutation(len(images.labels))
    for start in range(0, len(order), schedule.batch_size):
        rows = order[start : start + schedule.batch_size]
        inputs = torch.from_numpy(normalise(images.pixels[rows], preprocessing))
        moves = shuffler.integers(-schedule.shift, schedule.shift + 1, (len(rows), 2))
        yield shifted(inputs, moves), torch.from_numpy(images.labels[rows])


def shifted(inputs: Tensor, moves: np.ndarray) -> Tensor:
    """Translate images by whole pixels, each repeating its border: (n, C, h, w) by (n, 2), down and right."""
    reach = int(np.abs(moves).max(initial=0))
    height, width = inputs.shape[2:]
    padded = F.pad(inputs, [reach] * 4, mode="replicate")
    corners = (moves + reach).tolist()
    windows = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, corners, strict=True)]
    return torch.stack(windows)


def _step(network: nn.Module, batch: tuple[Tensor, Tensor], optimiser: torch.optim.Optimizer) -> float:
    network.train()
    optimiser.zero_grad(set_to_none=True)
    loss = F.cross_entropy(logits_of(network(batch[0])), batch[1])
    loss.backward()
    optimiser.step()
    return loss.item()


@torch.inference_mode()
def _evaluate(
    network: nn.Module, images: Labelled, preprocessing: Preprocessing, number: int, train_loss: float | None
) -> Epoch:
    network.eval()
    total, loss, correct = len(images.labels), 0.0, 0
    for start in range(0, total, 256):
        labels = torch.from_numpy(images.labels[start : start + 256])
        inputs = torch.from_numpy(normalise(images.pixels[start : start + 256], preprocessing))
        logits = logits_of(network(inputs))
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += int((logits.argmax(1) == labels).sum())
    return Epoch(number, train_loss, loss / max(total, 1), correct, total)
