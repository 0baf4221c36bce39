"""A forward pass reduced, layer by layer as it happens, to codes, maxima, means and statistics.

No activation map outlives the layer that made it: each is reduced in the moment that the network has
computed it, before a following in-place operation can change it. What is kept stays on the network's device
until it is fetched, so that a GPU is given a whole batch's work without a wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.extraction.recipe import Recipe
from pipeline.formats import shards
from pipeline.layers.layers import Layer
from pipeline.layers.observer import Observer
from pipeline.model.device import PRECISIONS, place_inputs, place_network

# Rows of a map that are counted at once: 2048 rows of 64 units are half a MB.
ROWS = 2048


@dataclass
class Reduced:
    """A batch's numbers: `rows` have one row an image, `sums` and `peaks` are over the whole batch."""

    rows: dict[str, Tensor] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)
    peaks: dict[str, Tensor] = field(default_factory=dict)

    def fetched(self) -> "Reduced":
        """Return the same on the CPU, once it is computed."""
        parts = (self.rows, self.sums, self.peaks)
        return Reduced(*({name: value.cpu() for name, value in part.items()} for part in parts))


class Reducer:
    """A network on a device, and the reduction of what it computes.

    Parameters
    ----------
    network
        In eval mode.
    recipe
        What it computes in, and what is kept.
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self._recipe, self.device = recipe, torch.device(recipe.device)
        self._dtype = PRECISIONS[recipe.precision]
        self._layers = {layer.name: layer for layer in recipe.layers}
        self._before: dict[str, list[Layer]] = {}
        for layer in recipe.layers:
            if layer.before and (recipe.statistics or layer.by_input):
                self._before.setdefault(layer.before, []).append(layer)
        names = {*self._layers, *self._before, recipe.code_layer}
        self._observer = Observer(place_network(network, recipe.device, recipe.precision), sorted(names))

    @torch.inference_mode()
    def run(self, inputs: np.ndarray | Tensor) -> Reduced:
        """Forward a batch.

        Parameters
        ----------
        inputs
            (n, C, h, w) float32, normalised.

        Returns
        -------
        Reduced
            ``codes`` (n, D), ``logits`` (n, K), ``maxima/<layer>/value`` (n, U) float32,
            ``maxima/<layer>/position`` (n, U, 2) uint16 (y, x), ``mean/<layer>`` (n, U) float32 as rows;
            of bounded layers likewise ``maxima/<layer>/input_value`` and ``…/input_position``;
            ``stats/<layer>/…`` (U) as sums and peaks.
        """
        reduced = Reduced()
        logits = self._observer.forward(
            place_inputs(inputs, self.device, self._dtype),
            lambda name, value: self._visit(name, value, reduced),
        )
        reduced.rows[shards.LOGITS] = _kept(logits)
        return reduced

    def _visit(self, name: str, value: Tensor, reduced: Reduced) -> None:
        if name == self._recipe.code_layer:
            reduced.rows[shards.CODES] = _kept(code_of(value))
        if name in self._before:
            self._reduce_input(self._before[name], value, reduced)
        if name in self._layers:
            self._reduce(name, value, reduced)

    def _reduce_input(self, layers: Sequence[Layer], value: Tensor, reduced: Reduced) -> None:
        """Keep of what enters activation functions its maxima, where those of the output may tie."""
        if not any(layer.by_input for layer in layers):
            largest = _kept(_largest(value))
            reduced.peaks |= {shards.largest_before(layer.name): largest for layer in layers}
            return
        peak, position = maxima(value)
        for layer in layers:
            if layer.by_input:
                reduced.rows[shards.input_value(layer.name)] = _kept(peak)
                reduced.rows[shards.input_position(layer.name)] = position
            if self._recipe.statistics:
                reduced.peaks[shards.largest_before(layer.name)] = _kept(peak.amax(0))

    def _reduce(self, name: str, value: Tensor, reduced: Reduced) -> None:
        peak, position = maxima(value)
        reduced.rows[shards.value(name)] = _kept(peak)
        reduced.rows[shards.position(name)] = position
        if self._recipe.means:
            reduced.rows[shards.mean(name)] = _kept(means(value))
        if self._recipe.statistics:
            outputs = value.numel() // value.shape[1]
            reduced.sums[shards.zeros(name)] = outputs - count_nonzero(value)
            reduced.sums[shards.outputs(name)] = torch.tensor(outputs)


def code_of(value: Tensor) -> Tensor:
    """Return the codes (n, D) of a code layer's output: a vector as it is, a map's spatial mean.

    Raises
    ------
    UserError
        The output is neither (n, D) nor (n, D, y, x).
    """
    if value.ndim == 4:
        return value.flatten(1) if value.shape[2:] == (1, 1) else value.mean((2, 3))
    if value.ndim != 2:
        raise UserError(
            f"the code layer's output must be (n, D) or (n, D, y, x), got {value.ndim} dimensions"
        )
    return value


def maxima(value: Tensor) -> tuple[Tensor, Tensor]:
    """Return each unit's largest activation in each image, and where it is.

    Parameters
    ----------
    value
        A map (n, U, h, w), or a dense layer's output (n, U).

    Returns
    -------
    value : (n, U) tensor
        In the dtype of the activations.
    position : (n, U, 2) uint16 tensor
        y, x in the map; of equal maxima the first in reading order; 0, 0 for a dense layer.
    """
    if value.ndim == 2:
        return value, torch.zeros(*value.shape, 2, dtype=torch.uint16)
    if value.is_cuda:
        # An eighth of the time of the other.
        peak, index = value.flatten(2).max(-1)
    else:
        # One vectorised pass for value and position; a quarter of the time of flatten(2).max(-1).
        pooled, indices = F.adaptive_max_pool2d(value, 1, return_indices=True)
        peak, index = pooled.flatten(1), indices.flatten(1)
    rows = torch.div(index, value.shape[3], rounding_mode="floor")
    return peak, torch.stack([rows, index - rows * value.shape[3]], -1).to(torch.uint16)


def _largest(value: Tensor) -> Tensor:
    """Return each unit's largest activation over images and positions, (U,)."""
    if value.is_cuda and value.ndim == 4:
        # One reduction in place of two, and no places, which are not wanted.
        return value.amax((0, 2, 3))
    return maxima(value)[0].amax(0)


def means(value: Tensor) -> Tensor:
    """Return each unit's mean over positions, (n, U) float32; a dense layer's output as it is."""
    if value.ndim == 2:
        return value
    if value.is_cuda or value.dtype == torch.float32:
        return value.mean((2, 3), dtype=torch.float32)
    # On a CPU all of the map would be copied for it, twice as large as it is.
    return torch.stack([image.float().mean((1, 2)) for image in value])


def count_nonzero(value: Tensor) -> Tensor:
    """Count each unit's non-zero outputs over images and positions.

    Parameters
    ----------
    value
        (n, U, h, w) in channels_last memory, or (n, U).

    Returns
    -------
    (U,) int64 tensor
    """
    flat = value.permute(0, 2, 3, 1).reshape(-1, value.shape[1]) if value.ndim == 4 else value
    if value.is_cuda:
        return torch.count_nonzero(flat, 0)
    # A few rows at a time in one buffer that stays in the cache, summed in float32: a twentieth of what
    # torch.count_nonzero takes (AlexNet's first layer, 32 images). Such sums are exact.
    buffer = torch.empty(min(ROWS, flat.shape[0]), flat.shape[1], dtype=flat.dtype, device=flat.device)
    total = torch.zeros(flat.shape[1], dtype=torch.float64, device=flat.device)
    for rows in flat.split(ROWS):
        total += torch.ne(rows, 0, out=buffer[: len(rows)]).sum(0, dtype=torch.float32)
    return total.to(torch.int64)


def _kept(value: Tensor) -> Tensor:
    """Return a copy in float32: a dense layer's output is the network's own, which may change it in place."""
    return value.to(torch.float32, copy=True)


def merge(parts: Sequence[Reduced]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Join the batches of a shard, fetched, in order.

    Returns
    -------
    rows : dict
        Name to the batches' rows, one below the other.
    totals : dict
        Name to the sum, or for ``largest_before`` the maximum, over the batches.
    """
    rows = {name: np.concatenate([part.rows[name].numpy() for part in parts]) for name in parts[0].rows}
    totals = {name: np.sum([part.sums[name].numpy() for part in parts], axis=0) for name in parts[0].sums}
    totals |= {name: np.max([part.peaks[name].numpy() for part in parts], axis=0) for name in parts[0].peaks}
    return rows, totals
