"""The layers that have filters, convolutions and dense ones, and the layers whose units are their filters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import fx, nn
from torchvision.ops.misc import FrozenBatchNorm2d

from pipeline.layers.layers import PASSING, PASSING_NAMES, POOL_NAMES, POOLS
from pipeline.receptive_field.fields import Pair, attribute, outputs, probe_image
from pipeline.receptive_field.operations import ACTIVATION_NAMES, ACTIVATIONS
from pipeline.receptive_field.recording import NotFollowedError, graph_of
from pipeline.receptive_field.tracing import Trace

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, FrozenBatchNorm2d)
# What has as many units as it is given, unit for unit.
KEEPING = (*ACTIVATIONS, *POOLS, *PASSING, *NORMALISATIONS)
KEEPING_NAMES = ACTIVATION_NAMES | POOL_NAMES | PASSING_NAMES

FUNCTIONS: dict[str, Literal["conv", "dense"]] = {"conv2d": "conv", "linear": "dense"}

Shapes = Mapping[fx.Node, tuple[int, ...]]
# A layer's name, and the normalisations between its filters and a node's units.
Owner = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Weighted:
    """A layer that has filters.

    Attributes
    ----------
    name
        Of its module, or of its weights where these are no module's.
    parameter
        Where its weights are in the network.
    kind
        "conv" or "dense".
    groups
        Of a convolution: into how many parts that know nothing of each other it falls; 1 of a dense layer.
    is_transposed
        Whether its weights are (channels, units, y, x), as of a transposed convolution.
    input_map
        Channels, height and width of the map that a dense layer reads, flattened; None where it reads none.
    units_of
        Each layer whose units are its filters, itself first, in the network's order; with the modules of the
        normalisations between.
    """

    name: str
    parameter: str
    kind: Literal["conv", "dense"]
    groups: int = 1
    is_transposed: bool = False
    input_map: tuple[int, int, int] | None = None
    units_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def weighted_layers(network: nn.Module, input_size: Pair, channels: int) -> tuple[Weighted, ...]:
    """Find the layers that have filters, in the order of the network.

    A layer's units are a convolution's filters where nothing but normalisations by unit, activation
    functions, pools and what leaves numbers as they are stands between: a sum, a gate or a concatenation has
    units of several. Weights that are computed while the network runs are not found.

    Parameters
    ----------
    network
        In eval mode. In one that decides by values of the image a layer's units are known of itself alone,
        and convolutions and dense layers that are functions, not modules, are not found.
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
        modules = (_of_module(*item) for item in network.named_modules())
        return tuple(replace(layer, units_of={layer.name: ()}) for layer in modules if layer)
    shapes = {node: tuple(image.shape) for node in traced.graph.nodes if node.op == "placeholder"}
    shapes |= {output.node: output.shape for output in outputs(traced, image)}
    return tuple(_followed(traced, shapes))


def weight_of(network: nn.Module, layer: Weighted) -> torch.Tensor:
    """Return a layer's weights: (units, channels, y, x) of a convolution, (units, inputs) if dense."""
    weight = attribute(network, layer.parameter)
    assert isinstance(weight, torch.Tensor), "found as a parameter"
    return weight.detach().transpose(0, 1) if layer.is_transposed else weight.detach()


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


def _of_module(name: str, module: nn.Module) -> Weighted | None:
    """Return a module as a layer; in groups a transposed convolution mixes up units and channels."""
    transposed = isinstance(module, nn.ConvTranspose2d)
    if isinstance(module, CONVOLUTIONS) and not (transposed and module.groups > 1):
        return Weighted(name, f"{name}.weight", "conv", module.groups, transposed)
    return Weighted(name, f"{name}.weight", "dense") if isinstance(module, nn.Linear) else None


def _of_node(traced: Trace, node: fx.Node) -> Weighted | None:
    """Return the layer that a node is: it calls a module, or a function with a parameter of the network."""
    module = traced.module(node)
    if module is not None:
        return _of_module(str(node.target), module)
    called = getattr(node.target, "__name__", "") if node.op == "call_function" else ""
    if called not in FUNCTIONS:
        return None
    weight = dict(enumerate(node.args)).get(1, node.kwargs.get("weight"))
    groups = dict(enumerate(node.args)).get(6, node.kwargs.get("groups", 1)) if called == "conv2d" else 1
    if not isinstance(weight, fx.Node) or weight.op != "get_attr" or not isinstance(groups, int):
        return None
    path = str(weight.target)
    return Weighted(path.removesuffix(".weight"), path, FUNCTIONS[called], groups)


def _followed(traced: Trace, shapes: Shapes) -> Iterator[Weighted]:
    """Follow each filter's output as far as units stay what they are."""
    found: dict[str, Weighted] = {}
    units_of: dict[str, dict[str, tuple[str, ...]]] = {}
    owners: dict[fx.Node, Owner] = {}
    for node in (node for node in traced.graph.nodes if node in shapes):
        layer = _of_node(traced, node)
        if layer is not None:
            given = _input_map(traced, node.all_input_nodes[0], shapes) if layer.kind == "dense" else None
            found.setdefault(layer.name, replace(layer, input_map=given))
            owners[node] = (layer.name, ())
        elif (owner := _kept(traced, node, shapes, owners)) is not None:
            owners[node] = owner
        if node in owners and len(shapes[node]) in (2, 4):
            name, norms = owners[node]
            units_of.setdefault(name, {})[traced.names[node]] = norms
    for name, layer in found.items():
        yield replace(layer, units_of=units_of.get(name, {}))


def _kept(traced: Trace, node: fx.Node, shapes: Shapes, owners: Mapping[fx.Node, Owner]) -> Owner | None:
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
