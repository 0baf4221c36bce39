"""The graph of a network whose Python code torch.fx cannot go through, written down while it runs."""

import dis
import inspect
import operator
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import torch
from torch import Tensor, fx, nn

from pipeline.model.outputs import logits_of
from pipeline.receptive_field.following import Following, Operation, Steered, tensors
from pipeline.receptive_field.places import described
from pipeline.receptive_field.tracing import OPENED, Event, Trace, Tracer, trace

# Methods that operators call too, and what torch.fx writes down of `x / y` and `x += y`.
OPERATORS: dict[str, tuple[Callable[..., Any], str]] = {
    "div": (operator.truediv, "truediv"), "remainder": (operator.mod, "mod"),
    "floor_divide": (operator.floordiv, "floordiv"), "add_": (operator.iadd, "add"),
    "sub_": (operator.isub, "sub"), "mul_": (operator.imul, "mul"), "div_": (operator.itruediv, "truediv"),
}  # fmt: skip
REFLECTED = {
    "__rsub__": operator.sub, "__rdiv__": operator.truediv, "__rtruediv__": operator.truediv,
    "__rpow__": operator.pow, "__rmatmul__": operator.matmul, "__rfloordiv__": operator.floordiv,
    "__rmod__": operator.mod,
}  # fmt: skip
BINARY_OPERATION = dis.opmap["BINARY_OP"]


class NotFollowedError(Exception):
    """Why a network's operations cannot be written down: what, in which line of the user's, as one line."""


def graph_of(network: nn.Module, image: Tensor) -> Trace:
    """Return a network's graph: torch.fx's, or, where that fails, one written down on an image.

    Parameters
    ----------
    network
        Any.
    image
        As `follow` takes it.

    Raises
    ------
    NotFollowedError
        As of `follow`.
    """
    return trace(network) or follow(network, image)


def follow(network: nn.Module, image: Tensor) -> Trace:
    """Write a network's operations down while it runs on one image.

    Nodes are named as `trace` names them. Sizes, and what Python makes of them, are constants of the graph.

    Parameters
    ----------
    network
        Any; run in eval mode.
    image
        (1, C, h, w), of the network's dtype and on its device.

    Raises
    ------
    NotFollowedError
        Values of the image decide what is run, or the network's code fails.
    """
    training = network.training
    recorder = _Recorder(network.eval())
    try:
        # Tensors of inference mode count no versions, by which operations in place are found.
        with torch.inference_mode(mode=False), torch.no_grad():
            traced, logits = recorder.record(image.clone())
            _verify(traced, image, logits)
            return traced
    except Steered as stop:
        raise NotFollowedError(str(stop)) from None
    except NotFollowedError:
        raise
    except Exception as error:
        raise NotFollowedError(described(error)) from error
    finally:
        network.train(training)


def _verify(traced: Trace, image: Tensor, logits: Tensor) -> None:
    """Check that the graph computes what the network did, unless that gives another output each time."""
    again = logits_of(fx.Interpreter(traced.network, graph=traced.graph).run(image.clone()))
    if not _alike(again, logits) and _alike(logits_of(traced.network(image.clone())), logits):
        raise NotFollowedError("its operations, written down and run again, give another output")


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.is_meta or torch.allclose(one, other, rtol=1e-3, equal_nan=True)


class _Recorder(Following):
    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self._graph, self._tracer = fx.Graph(), Tracer()
        self._events: list[Event] = []
        self._sized: set[fx.Node] = set()
        self._begun: list[int] = []

    @property
    def _names(self) -> dict[fx.Node, str]:
        return self._tracer.node_to_qualname

    def record(self, image: Tensor) -> tuple[Trace, Tensor]:
        first = next(iter(inspect.signature(self.network.forward).parameters))
        source = self._named("", self._graph.placeholder(first))
        self.marks.put(image, source)
        self._events.append(Event("", first, (source,)))
        logits = logits_of(self.run(image))
        self._graph.output(self._operand(logits))
        names, sized = dict(self._names), frozenset(self._sized)
        return Trace(self.network, self._graph, names, sized, tuple(self._events)), logits

    def versions(self, operands: Sequence[Tensor]) -> Sequence[tuple[Tensor, int]]:
        return [(tensor, tensor._version) for tensor in operands]

    def see(self, operation: Operation) -> Any:
        node = self._node(operation, sys._getframe(3))
        nodes = [node]
        if isinstance(operation.result, Tensor):
            self.marks.put(operation.result, node)
        else:
            for index, item in enumerate(operation.result):
                nodes.append(self._item(node, index))
                if isinstance(item, Tensor):
                    self.marks.put(item, nodes[-1])
        self._events.append(Event(operation.path, operation.name, tuple(nodes)))
        self._spoil(operation, node)
        return operation.result

    def measured(self, tensor: Tensor) -> None:
        self._sized.add(self._operand(tensor))

    def entered(self, path: str, module: nn.Module) -> None:
        if isinstance(module, OPENED):
            self._begun.append(len(self._names))

    def left(self, path: str, module: nn.Module, result: Any) -> None:
        if isinstance(module, OPENED):
            node = self.marks.get(result) if isinstance(result, Tensor) else None
            self._tracer.name_block(path, node, before=list(self._names)[: self._begun.pop()])

    def _node(self, operation: Operation, frame: FrameType) -> fx.Node:
        args: Any = fx.node.map_aggregate(operation.args, self._operand)
        kwargs: Any = fx.node.map_aggregate(dict(operation.kwargs), self._operand)
        if isinstance(operation.target, nn.Module):
            return self._named(operation.path, self._graph.call_module(operation.path, args, kwargs))
        target, args, name = _spelled(operation.target, args, frame)
        node = self._graph.create_node("call_function", target, args, kwargs, name)
        return self._named(operation.path, node)

    def _item(self, node: fx.Node, index: int) -> fx.Node:
        item = self._graph.create_node("call_function", operator.getitem, (node, index), {}, "getitem")
        return self._named(self._paths[-1], item)

    def _named(self, path: str, node: fx.Node) -> fx.Node:
        self._names[node] = self._tracer._get_node_qualname(path, node)
        return node

    def _operand(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if self.unseen(value):
            source = self._events[0].nodes[0]
            self.marks.put(value, self._graph.call_function(made_elsewhere, (value, source)))
        return value if self.marks.get(value) is None else self.marks.get(value)

    def _spoil(self, operation: Operation, node: fx.Node) -> None:
        """Let what shares the memory of a tensor that was overwritten be unknown from here on."""
        results = {id(tensor) for tensor in tensors(operation.result)}
        for written in [tensor for tensor, version in operation.versions if tensor._version != version]:
            memory = written.untyped_storage()._cdata
            for tensor, mark in self.marks.alive():
                if id(tensor) not in results and tensor.untyped_storage()._cdata == memory:
                    self.marks.put(tensor, self._graph.call_function(overwritten, (mark, node)))


def made_elsewhere(tensor: Tensor, source: Tensor) -> Tensor:
    """Return a tensor that no operation of PyTorch made, as far as was seen."""
    return tensor


def overwritten(tensor: Tensor, by: Tensor) -> Tensor:
    """Return a tensor into whose memory an operation wrote through another one."""
    return tensor


# Why their results are unknown.
UNFOLLOWED: dict[Callable[..., Any], str] = {
    made_elsewhere: "it enters what no operation of PyTorch was seen to make (TorchScript, NumPy)",
    overwritten: "its memory was written into through another tensor",
}


def setitem(tensor: Tensor, index: Any, value: Any) -> Tensor:
    """Assign to a part of a tensor and return the whole."""
    tensor[index] = value
    return tensor


def _spelled(target: Any, args: Any, frame: FrameType) -> tuple[Callable[..., Any], Any, str]:
    """Return function, operands and name as torch.fx would have written them down."""
    name = target.__name__
    if name == "__get__":
        return getattr, (args[0], target.__self__.__name__), "getattr"
    if name == "__setitem__":
        return setitem, args, "setitem"
    if name in REFLECTED:
        return REFLECTED[name], args[::-1], name.strip("_").removeprefix("r")
    if name in OPERATORS and frame.f_code.co_code[frame.f_lasti] == BINARY_OPERATION:
        return OPERATORS[name][0], args, OPERATORS[name][1]
    plain = name.strip("_") if name.startswith("__") else name
    return getattr(operator, plain, target) if name != plain else target, args, plain
