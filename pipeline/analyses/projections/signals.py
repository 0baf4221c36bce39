"""Signals from neurons back to the image: of a unit, and of another one of its layer at the same place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.layers.rules import Rule
from pipeline.layers.running import Outputs, Runner

Maps = NDArray[np.float32]
# Given the place of an image in the batch and how many units may be taken, returns which.
Draw = Callable[[int, int], int]


@dataclass(frozen=True)
class Neurons:
    """One neuron of a layer on each of n images.

    Attributes
    ----------
    layer
        The layer's name; a network that is run up to it.
    unit : (n,) int64
    position : (n, 2) int64
        y, x in the map; of a dense layer 0, 0.
    """

    layer: str
    unit: NDArray[np.int64]
    position: NDArray[np.int64]

    def values(self, outputs: Outputs) -> Tensor:
        """Return the neurons' outputs, (n,)."""
        whole = self.columns(outputs)
        return whole[torch.arange(len(whole)), torch.as_tensor(self.unit)]

    def columns(self, outputs: Outputs) -> Tensor:
        """Return the outputs of all units at the neurons' places, (n, U)."""
        maps = outputs.layers[self.layer]
        if maps.dim() == 2:
            return maps
        y, x = torch.as_tensor(self.position).T
        return maps[torch.arange(len(maps)), :, y, x]


@dataclass(frozen=True)
class Signals:
    """What came back to n images.

    Attributes
    ----------
    own, others
        Rule to (n, C, h, w) float32, of the network's input: the signal of the unit, and of the other one.
    other : (n,) int64
        Which other unit; -1 where no other is active at the place, and its signal is zero.
    """

    own: dict[Rule, Maps]
    others: dict[Rule, Maps]
    other: NDArray[np.int64]


def project(runner: Runner, inputs: Maps, neurons: Neurons, rules: Sequence[Rule], draw: Draw) -> Signals:
    """Send a signal of 1 back from each neuron, and from another active one of the layer at its place.

    Parameters
    ----------
    runner
        Of the network, with the neurons' layer, to stop there.
    inputs
        (n, C, h, w), normalised.
    neurons
        One on each image.
    rules
        By which rectifiers pass the signal.
    draw
        Chooses the other unit among those that are active.

    Raises
    ------
    NoRuleError
        Something on the way is no rectifier.
    """
    others = _Others(neurons, draw)
    wanted = [(score, rule) for score in (neurons.values, others.values) for rule in rules]
    found = [one.value.float().cpu().numpy() for one in runner.gradients(inputs, wanted)]
    # Where there is no other, its place was held by the unit itself.
    shown = [np.where((others.unit >= 0)[:, None, None, None], value, 0) for value in found[len(rules) :]]
    return Signals(dict(zip(rules, found, strict=False)), dict(zip(rules, shown, strict=True)), others.unit)


class _Others:
    """The other units, which are chosen when the first outputs are there."""

    def __init__(self, neurons: Neurons, draw: Draw) -> None:
        self._neurons, self._draw = neurons, draw
        self.unit = np.empty(0, np.int64)

    def values(self, outputs: Outputs) -> Tensor:
        if not len(self.unit):
            self.unit = self._chosen((self._neurons.columns(outputs) > 0).cpu().numpy())
        units = np.where(self.unit < 0, self._neurons.unit, self.unit)
        return Neurons(self._neurons.layer, units, self._neurons.position).values(outputs)

    def _chosen(self, active: NDArray[np.bool_]) -> NDArray[np.int64]:
        active[np.arange(len(active)), self._neurons.unit] = False
        candidates = [np.flatnonzero(row) for row in active]
        return np.array([
            row[self._draw(place, len(row))] if len(row) else -1 for place, row in enumerate(candidates)
        ], np.int64)  # fmt: skip
