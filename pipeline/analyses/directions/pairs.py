"""Pairs of linear layers of a network between which its space may be rotated, and the rotation undone.

What stands between must treat every unit alike and at each position apart: an activation function, and what
commutes with a rotation of the units (dropout, a mean over positions, flattening). A batch normalisation that
follows the first layer is part of it, as it is linear too; elsewhere it ends the search, as do maximum pools
(which are not linear), sums of branches, and whatever else is read by more than one operation. The second
layer must take all units: grouped convolutions do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import fx, nn
from torchvision.ops.misc import FrozenBatchNorm2d

from pipeline.receptive_field.fields import outputs, probe_image
from pipeline.receptive_field.nodes import called, is_one_of
from pipeline.receptive_field.operations import ACTIVATION_NAMES, ACTIVATIONS
from pipeline.receptive_field.recording import NotFollowedError, graph_of
from pipeline.receptive_field.tracing import Trace

LINEAR, LINEAR_NAMES = (nn.Linear, nn.Conv2d), frozenset({"linear", "conv2d"})
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, FrozenBatchNorm2d)
COMMUTING = (
    nn.Identity, nn.Dropout, nn.Dropout2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.ZeroPad2d, nn.Flatten,
)  # fmt: skip
COMMUTING_NAMES = frozenset({
    "dropout", "dropout2d", "avg_pool2d", "adaptive_avg_pool2d", "mean", "flatten", "reshape", "view",
    "contiguous",
})  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two linear layers.

    Attributes
    ----------
    first
        The node whose output is rotated: a linear layer, or the batch normalisation after it.
    activation
        The activation function between; None where there is none.
    second
        The layer that undoes the rotation.
    weight
        The parameter that its weights are.
    """

    first: str
    activation: str | None
    second: str
    weight: str


class NoPairsError(Exception):
    """Why a network has no such pairs, as a sentence."""


def linear_pairs(network: nn.Module, input_size: tuple[int, int], channels: int) -> list[Pair]:
    """Find all pairs, in the network's order.

    Parameters
    ----------
    network
        In eval mode.
    input_size, channels
        Of the network's input.

    Raises
    ------
    NoPairsError
        There is none, or the network's operations cannot be followed.
    """
    image = probe_image(network, input_size, channels)
    try:
        traced = graph_of(network, image)
    except NotFollowedError:
        raise NoPairsError(
            "the operations between the network's layers cannot be followed, since they depend on the "
            "values of the image"
        ) from None
    search = _Search(traced, {output.node: output.shape for output in outputs(traced, image)})
    found = [pair for node in traced.graph.nodes if (pair := search.pair(node))]
    if not found:
        raise NoPairsError(
            "the network has no two linear layers, with at most an activation function between them, that "
            "a rotation and its transpose fit"
        )
    return found


@dataclass(frozen=True)
class _Search:
    """The graph of a network, and the shape of each node's output for one image."""

    traced: Trace
    shapes: Mapping[fx.Node, tuple[int, ...]]

    def pair(self, linear: fx.Node) -> Pair | None:
        """Follow the only way on from a linear layer to the next; None where that is barred."""
        if not is_one_of(self.traced, linear, LINEAR, LINEAR_NAMES) or linear not in self.shapes:
            return None
        node, activation = linear, None
        following = _only_user(node)
        if following is not None and isinstance(self.traced.module(following), NORMS):
            node = following
        first, width = node, self.shapes[linear][1]
        while (following := _only_user(node)) is not None:
            weight = self._weight(following)
            if weight is not None and self._undoes(following, node):
                return self._named(first, activation, following, weight)
            if not self._keeps(following, node, width):
                return None
            if is_one_of(self.traced, following, ACTIVATIONS, ACTIVATION_NAMES):
                if activation is not None:
                    return None
                activation = following
            node = following
        return None

    def _named(self, first: fx.Node, activation: fx.Node | None, second: fx.Node, weight: str) -> Pair | None:
        names = self.traced.names
        if first not in names or second not in names or (activation and activation not in names):
            return None
        return Pair(names[first], names[activation] if activation else None, names[second], weight)

    def _weight(self, node: fx.Node) -> str | None:
        """Return the parameter that a linear layer's weights are, if no other layer has them too."""
        if not is_one_of(self.traced, node, LINEAR, LINEAR_NAMES):
            return None
        # A module is named as what holds its weights, a function is given them.
        given = node if node.op == "call_module" else _argument(node, 1, "weight")
        if not isinstance(given, fx.Node) or given.op not in ("call_module", "get_attr"):
            return None
        calls = [one for one in self.traced.graph.nodes if one.target == given.target]
        if len(calls) != 1 or (given.op == "get_attr" and len(given.users) != 1):
            return None
        return f"{given.target}.weight" if given.op == "call_module" else str(given.target)

    def _undoes(self, node: fx.Node, before: fx.Node) -> bool:
        """Tell whether a linear layer takes all units, so that a rotation can be undone in it."""
        module, dimensions = self.traced.module(node), len(self.shapes.get(before, ()))
        if isinstance(module, nn.Linear) or (module is None and called(node) == "linear"):
            return dimensions == 2
        groups = module.groups if isinstance(module, nn.Conv2d) else _argument(node, 6, "groups") or 1
        return dimensions == 4 and groups == 1

    def _keeps(self, node: fx.Node, before: fx.Node, width: int) -> bool:
        """Tell whether a node keeps a space of so many units, one after the other."""
        shape, given = self.shapes.get(node, ()), self.shapes.get(before, ())
        if is_one_of(self.traced, node, ACTIVATIONS, ACTIVATION_NAMES):
            return shape == given
        if not is_one_of(self.traced, node, COMMUTING, COMMUTING_NAMES) or len(shape) not in (2, 4):
            return False
        if called(node) == "mean":
            return len(given) == 4 and shape[1] == width and _over_positions(node)
        # A map that is flattened has all positions of a unit before the next one's.
        return shape[1] == width if len(shape) == len(given) == 4 else shape[1] == prod(given[1:])


def _only_user(node: fx.Node) -> fx.Node | None:
    """Return what alone reads a node's value, and reads nothing else but parameters."""
    users = list(node.users)
    read = [one for user in users for one in user.all_input_nodes if one.op != "get_attr"]
    return users[0] if len(users) == 1 and read == [node] else None


def _argument(node: fx.Node, place: int, name: str) -> object:
    """Return what a function is given; None where that is left out."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name)


def _over_positions(node: fx.Node) -> bool:
    """Tell whether a mean of a map is over both its axes."""
    over = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    return isinstance(over, list | tuple) and {int(axis) % 4 for axis in over} == {2, 3}


def undone(weight: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Return the weights (O, …) of a layer that undoes a rotation (C, C) of what it takes.

    Each output's weights are for the C units in turn, for each of them over all places; so they are of a
    convolution, and of a dense layer after a map was flattened.
    """
    apart = weight.reshape(len(weight), len(rotation), -1)
    return torch.einsum("ocp,dc->odp", apart, rotation).reshape(weight.shape)
