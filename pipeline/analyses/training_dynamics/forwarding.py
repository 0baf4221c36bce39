"""One checkpoint after the other, given the same images, which are decoded once and held on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.analyses.training_dynamics.maps import Measured, joined, measure
from pipeline.layers.batches import Batch
from pipeline.layers.observer import Observer
from pipeline.model.device import device_and_dtype, place_inputs


@dataclass(frozen=True)
class Held:
    """Inputs, (M, C, h, w) float32 on disk, and the images of each batch of them."""

    inputs: NDArray[np.float32]
    batches: list[list[int]] = field(default_factory=list)

    @property
    def image_id(self) -> NDArray[np.int64]:
        """(M,) int64, the images that could be read."""
        return np.array([image_id for batch in self.batches for image_id in batch], np.int64)

    def fill(self, batches: Iterable[Batch]) -> None:
        """Take batches in, one after the other."""
        start = len(self.image_id)
        for batch in batches:
            self.inputs[start : start + len(batch.image_id)] = batch.inputs
            self.batches.append(batch.image_id)
            start += len(batch.image_id)

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        start = 0
        for ids in self.batches:
            yield np.array(ids, np.int64), self.inputs[start : start + len(ids)]
            start += len(ids)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of every checkpoint.

    Attributes
    ----------
    layers
        Names of the layers that are measured.
    sample : (N,) int64
        The images that they are measured on; others are forwarded to be shown alone.
    shown
        The image whose maps are kept; None where there is none.
    units
        Layer to the units (V,) whose maps of it are kept.
    """

    layers: tuple[str, ...]
    sample: NDArray[np.int64]
    shown: int | None
    units: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Answer:
    """What a network makes of the images.

    Attributes
    ----------
    predicted : (N,) int32
        The output with the largest logit, of each image of the sample.
    layers
        What is measured of each layer on the sample.
    maps
        Layer to the maps (V, h, w) of its units on the shown image; empty where that was not read.
    """

    predicted: NDArray[np.int32]
    layers: dict[str, Measured]
    maps: dict[str, NDArray[np.float32]]


@torch.inference_mode()
def answer(network: nn.Module, observer: Observer, held: Held, wanted: Wanted) -> Answer:
    """Forward all images.

    Parameters
    ----------
    network
        In eval mode, on its device, with the checkpoint's weights.
    observer
        Of this network and the layers that are wanted.
    held
        The images.
    wanted
        What is kept.
    """
    gatherer, place, predicted = _Gatherer(wanted), device_and_dtype(network), []
    for ids, inputs in held:
        gatherer.begin(ids)
        logits = observer.forward(place_inputs(np.array(inputs), *place), gatherer.visit)
        predicted.append(logits.argmax(1).cpu().numpy()[gatherer.rows].astype(np.int32))
    layers = {name: joined(gatherer.measured[name]) for name in wanted.layers}
    return Answer(np.concatenate(predicted), layers, gatherer.maps)


@torch.inference_mode()
def rehearse(network: nn.Module, observer: Observer, held: Held, wanted: Wanted) -> None:
    """Take as much memory as `answer` does, and little time."""
    units = []

    def count(_: str, value: Tensor) -> None:
        units.append(value.shape[1])

    _, inputs = next(iter(held))
    observer.forward(place_inputs(np.array(inputs), *device_and_dtype(network)), count)
    # Two numbers are measured of each unit on each image, and there twice while they are joined.
    np.ones((2, 2, len(wanted.sample), sum(units)), np.float32)


class _Gatherer:
    """Takes what is wanted out of each layer's output; of the present batch `rows` are of the sample."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.measured: dict[str, list[Measured]] = {name: [] for name in wanted.layers}
        self.maps: dict[str, NDArray[np.float32]] = {}

    def begin(self, ids: NDArray[np.int64]) -> None:
        self.rows = np.isin(ids, self._wanted.sample)
        self._shown = np.flatnonzero(ids == self._wanted.shown)

    def visit(self, name: str, value: Tensor) -> None:
        values = value.float().contiguous().cpu().numpy()
        if self.rows.any():
            self.measured[name].append(measure(values[self.rows]))
        if len(self._shown) and name in self._wanted.units:
            self.maps[name] = values[self._shown[0], self._wanted.units[name]].copy()


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """Return the first convolution whose kernels have more than one weight, with its name."""
    return next(
        (
            (name, module)
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1
        ),
        None,
    )
