"""The layers that have filters, convolutions and dense ones, and the layers whose units are their filters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import fx, nn
from torchvision.ops.misc import FrozenBatchNorm2d

from pipeline.layers.layers import PASSING, PASSING_NAMES, POOL_NAMES, POOLS
from pipeline.receptive_field.fields import Pair, outputs, probe_image
from pipeline.receptive_field.operations import ACTIVATION_NAMES, ACTIVATIONS
from pipeline.receptive_field.recording import NotFollowedError, graph_of
from pipeline.receptive_field.tracing import Trace

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, FrozenBatchNorm2d)
# What has as many units as it is given, unit for unit.
KEEPING = (*ACTIVATIONS, *POOLS, *PASSING, *NORMALISATIONS)
KEEPING_NAMES = ACTIVATION_NAMES | POOL_NAMES | PASSING_NAMES

Shapes = Mapping[fx.Node, tuple[int, ...]]


@dataclass(frozen=True)
class Weighted:
    """A layer that has filters.

    Attributes
    ----------
    name
        Of its module, which is that of its first node.
    kind
        "conv" or "dense".
    groups
        Of a convolution: into how many parts that know nothing of each other it falls; 1 of a dense layer.
    input_map
        Channels, height and width of the map that a dense layer reads, flattened; None where it reads none.
    units_of
        Each layer whose units are its filters, itself first, in the network's order; with the modules of the
        normalisations between.
    """

    name: str
    kind: Literal["conv", "dense"]
    groups: int = 1
    input_map: tuple[int, int, int] | None = None
    units_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def weighted_layers(network: nn.Module, input_size: Pair, channels: int) -> tuple[Weighted, ...]:
    """Find the layers that have filters, in the order of the network.

    A layer's units are a convolution's filters where nothing but normalisations by unit, activation
    functions, pools and what leaves numbers as they are stands between: a sum, a gate or a concatenation has
    units of several. Convolutions and dense layers that are functions, not modules, are not found.

    Parameters
    ----------
    network
        In eval mode. In one that decides by values of the image a layer's units are known of itself alone.
    input_size
        Height and width of the network's input, pixels.
    channels
        Of the input.

    Raises
    ------
    UserError
        The network does not run on an input of this size.
    """
    image = probe_image(network, input_size, channels)
    try:
        traced = graph_of(network, image)
    except NotFollowedError:
        return tuple(_described(network, {name: {name: ()} for name, _ in _modules(network)}, {}))
    shapes = {node: tuple(image.shape) for node in traced.graph.nodes if node.op == "placeholder"}
    shapes |= {output.node: output.shape for output in outputs(traced, image)}
    units_of, input_maps = _followed(traced, shapes)
    return tuple(_described(network, units_of, input_maps))


def weight_of(network: nn.Module, layer: Weighted) -> torch.Tensor:
    """Return a layer's weights: (units, channels, y, x) of a convolution, (units, inputs) if dense."""
    module = network.get_submodule(layer.name)
    assert isinstance(module, (*CONVOLUTIONS, nn.Linear)), "found among these"
    weight = module.weight.detach()
    return weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose2d) else weight


def turned(network: nn.Module, norms: Sequence[str], units: int) -> torch.Tensor:
    """Tell of which units normalisations turn the sign: (units,) bool.

    Parameters
    ----------
    network
        The network.
    norms
        Names of the normalisations that the units pass.
    units
        How many there are.
    """
    negative = torch.zeros(units, dtype=torch.bool)
    for name in norms:
        scale = getattr(network.get_submodule(name), "weight", None)
        negative ^= False if scale is None else scale.detach().cpu() < 0
    return negative


def _modules(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules that have filters; in groups a transposed convolution mixes up units and channels."""
    for name, module in network.named_modules():
        grouped = isinstance(module, nn.ConvTranspose2d) and module.groups > 1
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)) and not grouped:
            yield name, module


def _described(
    network: nn.Module,
    units_of: Mapping[str, Mapping[str, tuple[str, ...]]],
    input_maps: Mapping[str, tuple[int, int, int]],
) -> Iterator[Weighted]:
    modules = dict(_modules(network))
    for name, layers in units_of.items():
        module = modules[name]
        if isinstance(module, CONVOLUTIONS):
            yield Weighted(name, "conv", module.groups, None, layers)
        else:
            yield Weighted(name, "dense", 1, input_maps.get(name), layers)


def _followed(
    traced: Trace, shapes: Shapes
) -> tuple[dict[str, dict[str, tuple[str, ...]]], dict[str, tuple[int, int, int]]]:
    """Follow each filter's output as far as units stay what they are."""
    modules, owners = dict(_modules(traced.network)), dict[fx.Node, tuple[str, tuple[str, ...]]]()
    units_of: dict[str, dict[str, tuple[str, ...]]] = {}
    input_maps: dict[str, tuple[int, int, int]] = {}
    for node in traced.graph.nodes:
        if node not in shapes:
            continue
        if node.op == "call_module" and str(node.target) in modules:
            name = str(node.target)
            owners[node] = (name, ())
            found = _input_map(traced, node.all_input_nodes[0], shapes)
            if found is not None:
                input_maps[name] = found
        elif (owner := _kept(traced, node, shapes, owners)) is not None:
            owners[node] = owner
        else:
            continue
        name, norms = owners[node]
        units_of.setdefault(name, {})[traced.names[node]] = norms
    return units_of, input_maps


def _kept(
    traced: Trace, node: fx.Node, shapes: Shapes, owners: Mapping[fx.Node, tuple[str, tuple[str, ...]]]
) -> tuple[str, tuple[str, ...]] | None:
    """Return whose filters a node's units are, and the normalisations on the way; None if nobody's."""
    given = node.all_input_nodes
    if len(given) != 1 or given[0] not in owners or not _is(traced, node, KEEPING, KEEPING_NAMES):
        return None
    before, after = shapes[given[0]], shapes[node]
    same_form = len(before) == len(after) or before[2:] == (1, 1)
    if len(after) not in (2, 4) or not same_form or before[1] != after[1]:
        return None
    name, norms = owners[given[0]]
    own = (str(node.target),) if isinstance(traced.module(node), NORMALISATIONS) else ()
    return name, norms + own


def _input_map(traced: Trace, node: fx.Node, shapes: Shapes) -> tuple[int, int, int] | None:
    """Return the map whose numbers, in their order, a dense layer is given."""
    numbers = shapes.get(node, ())
    if len(numbers) != 2:
        return None
    passing, names = (*PASSING, *ACTIVATIONS), PASSING_NAMES | ACTIVATION_NAMES
    while len(shapes.get(node, ())) == 2 and node.all_input_nodes and _is(traced, node, passing, names):
        node = node.all_input_nodes[0]
    shape = shapes.get(node, ())
    is_map = len(shape) == 4 and shape[1] * shape[2] * shape[3] == numbers[1]
    return (shape[1], shape[2], shape[3]) if is_map else None


def _is(traced: Trace, node: fx.Node, kinds: tuple[type[nn.Module], ...], names: frozenset[str]) -> bool:
    module = traced.module(node)
    if module is not None:
        return isinstance(module, kinds)
    called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op in ("call_function", "call_method") and called in names
