"""Whether "any arbitrary rotation of that space is a no-op" (CS231n), measured on the network.

The output of a linear layer is multiplied by an orthogonal matrix, and the weights of the next by its
transpose. Where nothing but linear operations stand between, the logits stay; an activation function between
acts on other axes, and they do not. To see that it is the activation, the same is done with it taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.analyses.directions.pairs import NoPairsError, Pair, linear_pairs, undone
from pipeline.formats.directions import Rotations
from pipeline.layers.running import Edit, Runner
from pipeline.progress import progress


@dataclass(frozen=True)
class Change:
    """How much a rotation changes the logits: the norm of the difference over their own, all images together.

    Attributes
    ----------
    with_activation
        NaN where there is no activation function between.
    without_activation
        Where there is one: with it taken out, before and after.
    channels
        Width of the space that was rotated.
    """

    with_activation: float
    without_activation: float
    channels: int


def measure_rotations(
    network: nn.Module, inputs: Sequence[Tensor], most: int, seed: int, *, images: int
) -> Rotations:
    """Rotate the space between pairs of layers of a network, one pair after the other.

    Parameters
    ----------
    network
        In eval mode, float32.
    inputs
        Batches (n, C, h, w), normalised.
    most
        Pairs that are measured; of more, a choice spread from the first to the last.
    seed
        Of the rotations.
    images
        How many all batches hold.
    """
    channels, *size = inputs[0].shape[1:]
    try:
        pairs = linear_pairs(network, (size[0], size[1]), channels)
    except NoPairsError as error:
        return _rotations([], [], images, 0, str(error))
    # From the last backwards: where one is wanted, it is that.
    spread = np.unique(np.linspace(len(pairs) - 1, 0, min(most, len(pairs))).round().astype(int))
    chosen, changes = [pairs[place] for place in spread], []
    with progress("rotating", total=len(chosen), unit="pairs") as bar:
        for pair in chosen:
            changes.append(rotation_change(network, pair, inputs, seed))
            bar.advance()
    return _rotations(chosen, changes, images, len(pairs), "")


def _rotations(
    pairs: Sequence[Pair], changes: Sequence[Change], images: int, found: int, reason: str
) -> Rotations:
    return Rotations(
        tuple(pair.first for pair in pairs), tuple(pair.activation or "" for pair in pairs),
        tuple(pair.second for pair in pairs),
        np.array([change.with_activation for change in changes], np.float64),
        np.array([change.without_activation for change in changes], np.float64),
        np.array([change.channels for change in changes], np.int64), images, found, reason,
    )  # fmt: skip


def random_rotation(width: int, seed: int) -> Tensor:
    """Draw an orthogonal matrix (C, C) float32, all alike (Haar measure; Mezzadri 2007)."""
    basis, upper = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))
    return torch.from_numpy((basis * np.sign(np.diag(upper))).astype(np.float32))


def rotation_change(network: nn.Module, pair: Pair, inputs: Sequence[Tensor], seed: int) -> Change:
    """Measure what a rotation between a pair of layers changes.

    Parameters
    ----------
    network
        In eval mode, float32; its weights are as before when this returns.
    pair
        The layers.
    inputs
        Batches (n, C, h, w), normalised.
    seed
        Of the rotation.
    """
    width: list[int] = []
    Runner(network, edits={pair.first: lambda value: _noted(value, width)}, until=pair.first).run(inputs[0])
    rotation = random_rotation(width[0], seed)
    taken_out = _Measured(network, pair, inputs, rotation, linear=True).change()
    if pair.activation is None:
        return Change(float("nan"), taken_out, width[0])
    kept = _Measured(network, pair, inputs, rotation, linear=False).change()
    return Change(kept, taken_out, width[0])


def _noted(value: Tensor, width: list[int]) -> Tensor:
    width.append(value.shape[1])
    return value


@dataclass
class _Measured:
    """The logits before and after a rotation; `linear` takes the activation function between out."""

    network: nn.Module
    pair: Pair
    inputs: Sequence[Tensor]
    rotation: Tensor
    linear: bool

    def change(self) -> float:
        before = self._logits(lambda value: value)
        with _undoing(self.network.get_parameter(self.pair.weight), self.rotation):
            after = self._logits(self._rotated)
        difference, length = np.linalg.norm(after - before), np.linalg.norm(before)
        return float(difference / length) if length else float("nan")

    def _rotated(self, value: Tensor) -> Tensor:
        rotation = self.rotation.to(value)
        return torch.einsum("dc,nc...->nd...", rotation, value)

    def _logits(self, edit: Edit) -> np.ndarray:
        """Run the network on all batches, the first layer's output edited."""
        kept: list[Tensor] = []

        def first(value: Tensor) -> Tensor:
            kept[:] = [edit(value)]
            return kept[0].clone()

        edits: dict[str, Edit] = {self.pair.first: first}
        if self.linear and self.pair.activation is not None:
            edits[self.pair.activation] = lambda _: kept[0]
        runner = Runner(self.network, edits=edits)
        found = [runner.run(batch).logits for batch in self.inputs]
        return np.concatenate([one.double().cpu().numpy() for one in found if one is not None])


@contextmanager
def _undoing(weight: nn.Parameter, rotation: Tensor) -> Iterator[None]:
    """Let a layer of these weights undo a rotation of what it takes, while this lasts."""
    before = weight.data
    weight.data = undone(before, rotation.to(before))
    try:
        yield
    finally:
        weight.data = before
