"""What each neuron of a network can see: receptive fields, computed on the traced graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from pipeline.errors import UserError
from pipeline.model.device import device_and_dtype
from pipeline.numerics.geometry import BOUND, EXACT, GLOBAL, UNKNOWN, Pair, ReceptiveField, whole
from pipeline.receptive_field.calls import describe_calls, does_not_run
from pipeline.receptive_field.geometry import Extent, Field, fit, source
from pipeline.receptive_field.hooks import HOOKED
from pipeline.receptive_field.operations import apply, trusted
from pipeline.receptive_field.recording import UNFOLLOWED, NotFollowedError, graph_of
from pipeline.receptive_field.tracing import Trace
from pipeline.receptive_field.windows import Call


@dataclass(frozen=True)
class Output:
    """What is known of one node's output.

    Attributes
    ----------
    node
        Of the graph.
    shape
        Of the output for one image, the batch dimension included.
    receptive_field
        Of its neurons.
    is_map
        Whether it is (1, channels, y, x).
    """

    node: fx.Node
    shape: tuple[int, ...]
    receptive_field: ReceptiveField
    is_map: bool


def receptive_fields(
    network: nn.Module, input_size: int | Pair, channels: int | None = None, *, gates: bool = True
) -> dict[str, ReceptiveField]:
    """Compute the receptive field of each layer of a network.

    Parameters
    ----------
    network
        In eval mode.
    input_size
        Height and width of the network's input, pixels; one number for a square.
    channels
        Of the input; None for those that the network's first convolution takes (3 if there is none).
    gates
        Whether gates count: factors that see the whole image, as in squeeze-and-excitation, after which every
        neuron sees it. Without them, what a neuron sees but for how strongly its channel is let through.

    Returns
    -------
    dict
        Node name (torchvision's `get_graph_node_names`, and the inside of its closed blocks) to receptive
        field, in the order of the network. A network that decides by values of the image: the calls of its
        modules, all "unknown".

    Raises
    ------
    UserError
        The network does not run on an input of this size.

    References
    ----------
    Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks, Distill 2019.
    """
    size = pair(input_size)
    image = probe_image(network, size, channels)
    try:
        traced = graph_of(network, image)
    except NotFollowedError as stop:
        field = whole(size, UNKNOWN, HOOKED + str(stop))
        return {call.name: field for call in describe_calls(network, image)}
    return {
        traced.names[output.node]: output.receptive_field for output in outputs(traced, image, gates=gates)
    }


def outputs(traced: Trace, image: Tensor, *, gates: bool = True) -> Iterator[Output]:
    """Run a traced network on one image and yield what is known of each tensor that depends on it.

    Parameters
    ----------
    traced
        The graph.
    image
        One image, (1, channels, h, w), as `probe_image` makes it.
    gates
        As in `receptive_fields`.

    Raises
    ------
    UserError
        The network does not run on it.
    """
    input_size = (image.shape[2], image.shape[3])
    values: dict[fx.Node, Any] = {}
    fields: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            values[node], fields[node] = image, source(input_size, image.shape[1])
        elif node.op == "get_attr":
            values[node] = fields[node] = attribute(traced.network, str(node.target))
        elif node.op != "output":
            values[node] = _run(traced, node, values, image)
            fields[node] = _propagate(traced, node, values[node], fields, gates=gates)
            shown = node in traced.names
            if shown and isinstance(fields[node], Field) and isinstance(values[node], Tensor):
                yield _describe(node, values[node], fields[node], input_size)
        for operand in node.all_input_nodes:
            if all(user in values for user in operand.users):
                values[operand] = fields[operand] = None


def probe_image(network: nn.Module, input_size: Pair, channels: int | None = None) -> Tensor:
    """Return one even image (1, channels, h, w) of the dtype, and on the device, of the network.

    Parameters
    ----------
    network
        Any.
    input_size
        Height and width, pixels.
    channels
        None for those that the network's first convolution takes (3 if there is none).
    """
    device, dtype = device_and_dtype(network)
    convolution = next((item for item in network.modules() if isinstance(item, nn.Conv2d)), None)
    known = channels or (convolution.in_channels if convolution else 3)
    return torch.full((1, known, *input_size), 0.5, dtype=dtype, device=device)


def attribute(network: nn.Module, path: str) -> Any:
    """Return what a dotted path names in a network."""
    value: Any = network
    for part in path.split("."):
        value = getattr(value, part)
    return value


def pair(input_size: int | Pair) -> Pair:
    """Return height and width of an input size; one number means a square.

    Raises
    ------
    UserError
        It is not positive.
    """
    size = (
        (input_size, input_size) if isinstance(input_size, int) else (int(input_size[0]), int(input_size[1]))
    )
    if min(size) < 1:
        raise UserError(f"input size must be at least 1 pixel, got {size[0]}x{size[1]}")
    return size


def _run(traced: Trace, node: fx.Node, values: dict[fx.Node, Any], image: Tensor) -> Any:
    """Do what a node does, on the values of its operands."""
    args = fx.node.map_arg(node.args, values.__getitem__)
    kwargs = fx.node.map_arg(node.kwargs, values.__getitem__)
    try:
        with torch.no_grad():
            return _target(traced, node, args)(*(args[1:] if node.op == "call_method" else args), **kwargs)
    except Exception as error:
        # The user's code may fail in any way.
        raise does_not_run(traced.network, image, error) from error


def _target(traced: Trace, node: fx.Node, args: Sequence[Any]) -> Any:
    if node.op == "call_module":
        return traced.module(node)
    return getattr(args[0], str(node.target)) if node.op == "call_method" else node.target


def _propagate(traced: Trace, node: fx.Node, value: Any, fields: dict[fx.Node, Any], *, gates: bool) -> Any:
    """Return the field of a node's output, or its value where it does not depend on the image."""
    args = fx.node.map_arg(node.args, fields.__getitem__)
    kwargs = fx.node.map_arg(node.kwargs, fields.__getitem__)
    operands = [fields[operand] for operand in node.all_input_nodes]
    if not any(isinstance(operand, Field | tuple) for operand in operands):
        return value
    if not any(isinstance(operand, Field) or _holds_field(operand) for operand in operands):
        return _target(traced, node, args)(*(args[1:] if node.op == "call_method" else args), **kwargs)
    computed = len(node.all_input_nodes) > 1 or not traced.sized.isdisjoint(node.all_input_nodes)
    name, module = _function(node), traced.module(node)
    reason = UNFOLLOWED.get(node.target) if callable(node.target) else None
    reason = reason or f"no rule for {traced.names.get(node)} ({name or type(module).__name__})"
    known = name if isinstance(node.target, str) or trusted(node.target) else "?"
    return apply(Call(known, module, args, kwargs, value, computed=computed, reason=reason), gates=gates)


def _function(node: fx.Node) -> str:
    """Return the name of the function or method that a node calls; empty for a module."""
    if node.op == "call_module":
        return ""
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "?")


def _holds_field(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, Field) for item in value)


def _describe(node: fx.Node, value: Tensor, seen: Field, input_size: Pair) -> Output:
    rank = value.ndim
    is_map = rank == 4 and (seen.axes == (2, 3) or seen.status != EXACT)
    return Output(node, tuple(value.shape), _receptive_field(seen, input_size), is_map)


def _receptive_field(seen: Field, input_size: Pair) -> ReceptiveField:
    if seen.status != EXACT or None in seen.axes:
        if seen.status == EXACT:
            return whole(input_size, UNKNOWN, "rows or columns of the map are no longer told apart")
        return whole(input_size, seen.status, seen.reason)
    if seen.axes[0] == seen.axes[1]:
        # Tokens: each sees a part, but no stride leads from one to the next.
        return whole(input_size, BOUND)
    extents = [fit(line, axis) for line, axis in zip(seen.lines, seen.axes, strict=True) if axis is not None]
    y, x = extents
    if y is None or x is None:
        return whole(input_size, UNKNOWN, "it sees nothing of the image")
    everywhere = all(
        set(extent.seen) == {(0, length)} for extent, length in zip((y, x), input_size, strict=True)
    )
    if everywhere and (y.stride == x.stride == 0 or not (y.true and x.true)):
        return whole(input_size, GLOBAL)
    return _from_extents(y, x)


def _from_extents(y: Extent, x: Extent) -> ReceptiveField:
    return ReceptiveField(
        (y.size, x.size), (y.stride, x.stride), (y.start, x.start),
        EXACT if y.true and x.true else BOUND, y.seen, x.seen,
    )  # fmt: skip
