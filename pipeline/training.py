"""Training a small network on a dataset: seeded, in one thread on the CPU, so that it can be repeated."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.preprocess import Preprocessing, normalise
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
class Images:
    """Images as the network sees them: pixels (n, h, w, 3) uint8, labels (n,) int64."""

    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; epoch 0 is the untrained network, which has no training loss."""

    number: int
    train_loss: float | None
    held_out_loss: float
    correct: int
    total: int


def train(
    build: Callable[[], nn.Module],
    data: tuple[Images, Images],
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


def _batches(
    images: Images, preprocessing: Preprocessing, schedule: Schedule, shuffler: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = shuffler.permutation(len(images.labels))
    for start in range(0, len(order), schedule.batch_size):
        rows = order[start : start + schedule.batch_size]
        inputs = torch.from_numpy(normalise(images.pixels[rows], preprocessing))
        moves = shuffler.integers(-schedule.shift, schedule.shift + 1, (len(rows), 2))
        yield _shifted(inputs, moves), torch.from_numpy(images.labels[rows])


def _shifted(inputs: Tensor, moves: np.ndarray) -> Tensor:
    """Translate each image by whole pixels, repeating its border."""
    reach = int(np.abs(moves).max(initial=0))
    height, width = inputs.shape[2:]
    padded = F.pad(inputs, [reach] * 4, mode="replicate")
    corners = (moves + reach).tolist()
    windows = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, corners, strict=True)]
    return torch.stack(windows)


def _step(network: nn.Module, batch: tuple[Tensor, Tensor], optimiser: torch.optim.Optimizer) -> float:
    network.train()
    optimiser.zero_grad(set_to_none=True)
    loss = F.cross_entropy(network(batch[0]), batch[1])
    loss.backward()
    optimiser.step()
    return loss.item()


@torch.inference_mode()
def _evaluate(
    network: nn.Module, images: Images, preprocessing: Preprocessing, number: int, train_loss: float | None
) -> Epoch:
    network.eval()
    total, loss, correct = len(images.labels), 0.0, 0
    for start in range(0, total, 256):
        labels = torch.from_numpy(images.labels[start : start + 256])
        inputs = torch.from_numpy(normalise(images.pixels[start : start + 256], preprocessing))
        logits = network(inputs)
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += int((logits.argmax(1) == labels).sum())
    return Epoch(number, train_loss, loss / max(total, 1), correct, total)
