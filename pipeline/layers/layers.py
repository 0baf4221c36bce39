"""The layers of a network: what there is, which of them to look at, and which one is the code."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, fx, nn

from pipeline.errors import UserError
from pipeline.layers.bounds import is_bounded
from pipeline.model.outputs import logits_of
from pipeline.numerics.geometry import ReceptiveField, whole
from pipeline.receptive_field.calls import describe_calls, does_not_run
from pipeline.receptive_field.fields import Output, outputs, pair, probe_image
from pipeline.receptive_field.hooks import HOOKED, input_name
from pipeline.receptive_field.nodes import called, is_one_of
from pipeline.receptive_field.operations import ACTIVATION_NAMES, ACTIVATIONS
from pipeline.receptive_field.recording import NotFollowedError, graph_of
from pipeline.receptive_field.tracing import Trace

POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
POOL_NAMES = frozenset(
    ["max_pool2d", "avg_pool2d", "lp_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "mean", "amax"]
)
JOIN_NAMES = frozenset({"add", "iadd", "add_", "cat", "concat"})
# What leaves a vector as it is once dropout is off.
PASSING = (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.Identity, nn.Flatten)
PASSING_NAMES = frozenset(["dropout", "dropout2d", "flatten", "squeeze", "view", "reshape", "contiguous"])
# More activation layers than this, and `auto` keeps the ends of blocks.
MANY = 40


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes
    ----------
    name
        Node name, as torchvision's `get_graph_node_names` gives it.
    kind
        "map": output (n, units, y, x); "dense": output (n, units).
    units
        Channels, or outputs of a dense layer.
    map_size
        y, x of the map; (1, 1) for a dense layer.
    receptive_field
        Of its neurons.
    before
        The layer that enters an activation function (its pre-activation); None where this is not one.
    is_activation, is_pool
        Whether it is an activation function's output, or a pooling's that is not the identity.
    is_convolution
        Whether it is a convolution's output, before anything that follows it.
    is_bounded
        Whether it is that of an activation function that has a largest value, so that images tie there;
        `before` tells them apart.
    ends_block
        Whether it is where branches come together: a sum or a concatenation, after its activation if it has
        one.
    """

    name: str
    kind: Literal["map", "dense"]
    units: int
    map_size: tuple[int, int]
    receptive_field: ReceptiveField
    before: str | None = None
    is_activation: bool = False
    is_pool: bool = False
    ends_block: bool = False
    is_bounded: bool = False
    is_convolution: bool = False

    @property
    def by_input(self) -> bool:
        """Whether images are ranked by what enters the layer: its largest outputs tie."""
        return self.is_bounded and self.before is not None


def describe_layers(
    network: nn.Module, input_size: int | tuple[int, int], channels: int | None = None
) -> tuple[Layer, ...]:
    """Describe the layers of a network, in the order in which they are computed.

    Parameters
    ----------
    network
        In eval mode. One that decides by values of the image is described by its modules: receptive fields
        and pre-activations are unknown then, and functional activations are no layers.
    input_size
        Height and width of the network's input, pixels.
    channels
        Of the input; None for those that the network's first convolution takes (3 if there is none).

    Returns
    -------
    tuple of Layer
        Every node whose output is (n, units, y, x) or (n, units). Maps whose channels come last (inside
        ConvNeXt's blocks) are no layers.

    Raises
    ------
    UserError
        The network does not run on an input of this size, or its output differs from one pass to the next.
    """
    image = probe_image(network, pair(input_size), channels)
    try:
        traced = graph_of(network, image)
    except NotFollowedError as stop:
        return tuple(_hooked(network, image, str(stop)))
    _check(traced, image)
    found = {output.node: output for output in outputs(traced, image)}
    layers = [
        _layer(traced, output, found) for output in found.values() if output.is_map or len(output.shape) == 2
    ]
    return tuple(_with_block_ends(traced, layers))


def code_layer(network: nn.Module, input_size: int | tuple[int, int], channels: int | None = None) -> str:
    """Return the layer whose output is the code: what enters the classifier.

    The classifier is the last dense or convolution layer on the way to the output. Dropout (the identity in
    eval mode) is passed over, so the code of AlexNet is the ReLU `classifier.5`; so is flattening a map of
    one position. Where the classifier is a convolution (SqueezeNet), the code layer is a map, and the code
    its spatial mean. In a network that decides by values of the image it is called `<classifier>.input`.

    Parameters
    ----------
    network
        In eval mode.
    input_size
        Height and width of the network's input, pixels.
    channels
        As in `describe_layers`.

    Raises
    ------
    UserError
        The network has no such layer, or does not run.
    """
    image = probe_image(network, pair(input_size), channels)
    try:
        found = _entering(graph_of(network, image), image)
    except NotFollowedError:
        weighing = (nn.Linear, nn.Conv2d)
        calls = [call for call in describe_calls(network, image) if isinstance(call.module, weighing)]
        found = input_name(max(calls, key=lambda call: call.gives_logits).name) if calls else None
    if found is None:
        raise UserError("the network has no dense or convolution layer, so it has no code")
    return found


def unfollowed(layers: Iterable[Layer]) -> str | None:
    """Return why a network is watched through hooks on its modules only, as one line; None if it is not."""
    reasons = (layer.receptive_field.reason for layer in layers)
    return next((reason for reason in reasons if reason.startswith(HOOKED)), None)


def _entering(traced: Trace, image: Tensor) -> str | None:
    """Return the name of what enters the classifier, None where there is no classifier."""
    shapes = {output.node: output.shape for output in outputs(traced, image)}
    classifier = next((node for node in _ancestors(traced) if _weighs(traced, node)), None)
    if classifier is None:
        return None
    return traced.names.get(_passed_over(traced, classifier.all_input_nodes[0], shapes))


def _check(traced: Trace, image: Tensor) -> None:
    """Check that the graph computes what the network does: tracing sees one way through its Python code."""
    try:
        with torch.no_grad():
            again = logits_of(fx.Interpreter(traced.network, graph=traced.graph).run(image.clone()))
            once = logits_of(traced.network(image.clone()))
    except UserError:
        raise
    except Exception as error:
        # The user's code may fail in any way.
        raise does_not_run(traced.network, image, error) from error
    if not once.is_meta and not torch.allclose(once, again, rtol=1e-3, equal_nan=True):
        raise UserError(
            "the network gives another output when it is run again; in eval mode its forward must depend on "
            "the image alone (F.dropout needs training=self.training)"
        )


def _layer(traced: Trace, output: Output, found: dict[fx.Node, Output]) -> Layer:
    node, shape = output.node, output.shape
    operands = [operand for operand in node.all_input_nodes if operand in found]
    active = is_one_of(traced, node, ACTIVATIONS, ACTIVATION_NAMES)
    given = found[operands[0]].shape if operands else None
    pools = is_one_of(traced, node, POOLS, POOL_NAMES) and given is not None and len(given) == 4
    is_map = len(shape) == 4
    return Layer(
        name=traced.names[node], kind="map" if is_map else "dense", units=shape[1],
        map_size=(shape[2], shape[3]) if is_map else (1, 1), receptive_field=output.receptive_field,
        before=traced.names.get(node.all_input_nodes[0]) if active else None, is_activation=active,
        is_pool=pools and (given != shape or not _is_adaptive(traced, node)),
        ends_block=is_map and len(operands) > 1 and is_one_of(traced, node, (), JOIN_NAMES),
        is_bounded=active and is_bounded(traced.module(node), called(node), node.args, node.kwargs),
        is_convolution=is_map and is_one_of(traced, node, (nn.Conv2d,), frozenset({"conv2d"})),
    )  # fmt: skip


def _with_block_ends(traced: Trace, layers: list[Layer]) -> Iterator[Layer]:
    """Let an activation that alone reads a sum or concatenation end the block in its place."""
    joins = {layer.name for layer in layers if layer.ends_block}
    users = {traced.names[node]: [traced.names.get(user) for user in node.users] for node in traced.names}
    moved = {
        layer.before for layer in layers if layer.before in joins and users[layer.before] == [layer.name]
    }
    for layer in layers:
        yield replace(
            layer, ends_block=layer.before in moved or (layer.ends_block and layer.name not in moved)
        )


def _is_adaptive(traced: Trace, node: fx.Node) -> bool:
    adaptive = frozenset({"adaptive_avg_pool2d", "adaptive_max_pool2d"})
    return is_one_of(traced, node, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d), adaptive)


def _weighs(traced: Trace, node: fx.Node) -> bool:
    return is_one_of(traced, node, (nn.Linear, nn.Conv2d), frozenset({"linear", "conv2d"}))


def _ancestors(traced: Trace) -> Iterator[fx.Node]:
    """Yield what the logits were made of, the last computed first; of several outputs they are the first."""
    needed: set[fx.Node] = set()
    for node in reversed(traced.graph.nodes):
        if node.op == "output":
            needed.update(node.all_input_nodes[:1])
        elif node in needed:
            needed.update(node.all_input_nodes)
            yield node


def _passed_over(traced: Trace, node: fx.Node, shapes: dict[fx.Node, tuple[int, ...]]) -> fx.Node:
    """Go back from a node over what does not change its numbers."""
    while node.all_input_nodes and is_one_of(traced, node, PASSING, PASSING_NAMES):
        source = node.all_input_nodes[0]
        shape = shapes.get(source)
        same = shape is not None and (shape == shapes[node] or (len(shape) == 4 and shape[2:] == (1, 1)))
        if not same:
            break
        node = source
    return node


def _hooked(network: nn.Module, image: Tensor, why: str) -> Iterator[Layer]:
    field = whole((image.shape[2], image.shape[3]), "unknown", HOOKED + why)
    for call in describe_calls(network, image):
        shape, active = call.shape, isinstance(call.module, ACTIVATIONS)
        bounded = active and is_bounded(call.module, "", (), {})
        if len(shape) in (2, 4):
            is_map = len(shape) == 4
            yield Layer(
                name=call.name, kind="map" if is_map else "dense", units=shape[1],
                map_size=(shape[2], shape[3]) if is_map else (1, 1), receptive_field=field,
                before=input_name(call.name) if bounded else None, is_bounded=bounded,
                is_activation=active, is_pool=isinstance(call.module, POOLS),
                ends_block=is_map and call.is_block, is_convolution=isinstance(call.module, nn.Conv2d),
            )  # fmt: skip
