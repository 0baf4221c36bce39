"""Occlusion (Zeiler & Fergus 2014, §4.2): cover a square of an image, and see what the network says then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.layers.running import Outputs, Runner
from pipeline.numerics.windows import window_starts

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Followed:
    """What is followed of one image: an output, and a unit of a layer, or none ("", -1)."""

    output: int
    layer: str
    unit: int


@dataclass(frozen=True)
class Answers:
    """What a network says of n inputs.

    Attributes
    ----------
    probability, score : (n,) float64
        Softmax probability and logit of the output that is followed.
    predicted : (n,) int64
        The output with the largest logit.
    activation : (n,) float64
        The followed unit's activation, summed over its map; NaN where none is followed.
    """

    probability: NDArray[np.float64]
    score: NDArray[np.float64]
    predicted: NDArray[np.int64]
    activation: NDArray[np.float64]

    def reshaped(self, *shape: int) -> Answers:
        """Return them in another shape."""
        return Answers(
            self.probability.reshape(shape),
            self.score.reshape(shape),
            self.predicted.reshape(shape),
            self.activation.reshape(shape),
        )


def strongest_unit(values: Tensor) -> int:
    """Return the unit of a map (U, h, w) whose activation, summed over positions, is largest."""
    return int(values.double().sum((1, 2)).argmax())


def answers(outputs: Outputs, followed: Followed) -> Answers:
    """Return what a pass says of its inputs."""
    assert outputs.logits is not None, "the network ran to its end"
    logits = outputs.logits.double()
    if followed.layer:
        activation = outputs.layers[followed.layer][:, followed.unit].double().sum((1, 2))
    else:
        activation = torch.full((len(logits),), torch.nan, dtype=torch.float64)
    found = (
        logits.softmax(1)[:, followed.output], logits[:, followed.output], logits.argmax(1), activation
    )  # fmt: skip
    return Answers(*(one.cpu().numpy() for one in found))


@dataclass(frozen=True)
class Occluder:
    """Covers images with a window at all its places, many places a batch.

    Attributes
    ----------
    runner
        Runs the network; shows the layer that is followed.
    window, stride
        As of `pipeline.numerics.windows.window_starts`, along both sides.
    batch_size
        Inputs in a batch: one image's places, in the order of lines.
    """

    runner: Runner
    window: int
    stride: int
    batch_size: int

    def starts(self, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where windows begin down and across an input of this height and width."""
        return (
            window_starts(size[0], self.window, self.stride),
            window_starts(size[1], self.window, self.stride),
        )

    def run(self, image: Float32, under: Float32, followed: Followed) -> Answers:
        """Cover an image at each place.

        Parameters
        ----------
        image, under
            (C, H, W), normalised, and what windows show, of `pipeline.images.filling`.
        followed
            What is followed.

        Returns
        -------
        Answers
            (ny, nx) each.
        """
        y, x = self.starts((image.shape[1], image.shape[2]))
        batches = self._batches(image, under, y, x)
        parts = [answers(self.runner.run(batch), followed) for batch in batches]
        columns = zip(*map(_columns, parts), strict=True)
        return Answers(*(np.concatenate(column) for column in columns)).reshaped(len(y), len(x))

    def _batches(
        self, image: Float32, under: Float32, y: NDArray[np.int64], x: NDArray[np.int64]
    ) -> Iterator[Tensor]:
        """Yield copies of an image, each covered at one place."""
        whole, cover = torch.from_numpy(image), torch.from_numpy(under)
        places = [(top, left) for top in y.tolist() for left in x.tolist()]
        for start in range(0, len(places), self.batch_size):
            some = places[start : start + self.batch_size]
            batch = torch.empty((len(some), *whole.shape), memory_format=torch.channels_last)
            batch[:] = whole
            for copy, (top, left) in zip(batch, some, strict=True):
                rows, columns = slice(top, top + self.window), slice(left, left + self.window)
                copy[:, rows, columns] = cover[:, rows, columns]
            yield batch


def _columns(found: Answers) -> tuple[NDArray[np.generic], ...]:
    return found.probability, found.score, found.predicted, found.activation
