"""A network's graph of operations, its nodes named as torchvision names them.

`trace` gives every name of torchvision's `get_graph_node_names` (eval mode) and more: blocks that
torchvision keeps closed (a convolution with its normalisation and activation, squeeze-and-excitation) are
opened, so that what enters their activation can be seen; the node that a closed block ends in bears the
block's name.
"""

import inspect
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import torchvision
from torch import fx, nn
from torchvision.models import feature_extraction
from torchvision.ops.misc import MLP, Conv2dNormActivation, SqueezeExcitation

OPENED = (Conv2dNormActivation, SqueezeExcitation, MLP)
LEAVES = tuple(
    item
    for _, item in inspect.getmembers(torchvision.ops, inspect.isclass)
    if issubclass(item, nn.Module) and item not in OPENED
)


class Event(NamedTuple):
    """What one operation has in a graph that was written down while the network ran.

    Attributes
    ----------
    path
        Of the module that was called, or in which the function was.
    name
        The function's; the path again if a module was called.
    nodes
        That of the result; where that is a tuple also one for each item.
    """

    path: str
    name: str
    nodes: tuple[fx.Node, ...]


@dataclass(frozen=True)
class Trace:
    """The graph of a network in eval mode.

    Attributes
    ----------
    network
        What was traced.
    graph
        Its operations in the order in which they run.
    names
        Each node's name; placeholders included. What has none is no layer.
    sized
        Nodes whose size the network's code asked for, where that is no node of its own.
    events
        Of a graph that was written down while the network ran: its operations in their order, the input
        first. Empty where torch.fx made it.
    """

    network: nn.Module
    graph: fx.Graph
    names: dict[fx.Node, str]
    sized: frozenset[fx.Node] = frozenset()
    events: tuple[Event, ...] = ()

    def node(self, name: str) -> fx.Node:
        """Return the node of a name; `KeyError` where there is none."""
        for node, found in self.names.items():
            if found == name:
                return node
        raise KeyError(name)

    def module(self, node: fx.Node) -> nn.Module | None:
        """Return the module that a node calls, None for functions and methods."""
        return self.network.get_submodule(str(node.target)) if node.op == "call_module" else None


class Tracer(feature_extraction.NodePathTracer):
    """torchvision's tracer, which names nodes by the modules that they are in; it looks into more blocks."""

    def __init__(self) -> None:
        super().__init__(autowrap_modules=(math, torchvision.ops), leaf_modules=LEAVES)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Trace a module's forward method; see `fx.Tracer.call_module`."""
        before = list(self.node_to_qualname)
        result = super().call_module(m, forward, args, kwargs)
        if isinstance(m, OPENED) and isinstance(result, fx.Proxy):
            self.name_block(self.path_of_module(m), result.node, before)
        return result

    def name_block(self, path: str, node: fx.Node | None, before: Collection[fx.Node]) -> None:
        """Give the node that an opened block ends in the block's name.

        Nodes from `before` the block, which it returned as it was given them, keep their own.
        """
        if node is not None and node not in before:
            del self.node_to_qualname[node]
            block = SimpleNamespace(op="call_module")
            self.node_to_qualname[node] = self._get_node_qualname(path, block)


def is_leaf(module: nn.Module) -> bool:
    """Tell whether a module is one operation: torch.nn's own, or torchvision's."""
    return Tracer().is_leaf_module(module, "")


def trace(network: nn.Module) -> Trace | None:
    """Trace a network in eval mode.

    Parameters
    ----------
    network
        Its `forward` takes a batch of images; further parameters are left at their defaults.

    Returns
    -------
    Trace or None
        None where torch.fx cannot trace the network (its path depends on the values that it computes, say).
    """
    training = network.training
    tracer = Tracer()
    try:
        graph = tracer.trace(network.eval(), concrete_args=_defaults(network))
    except Exception:  # noqa: BLE001 - whatever code of the user's stumbles over a proxy raises
        return None
    finally:
        network.train(training)
    for placeholder in [node for node in graph.nodes if node.op == "placeholder"][1:]:
        _erase(graph, placeholder)
    kept = set(graph.nodes)
    names = {node: name for node, name in tracer.node_to_qualname.items() if node in kept}
    return Trace(network, graph, names)


def _defaults(network: nn.Module) -> dict[str, Any] | None:
    """Return the defaults of all parameters of `forward` but the first.

    Traced as unknowns they would take the wrong branch of `if mask is not None` without an error.
    """
    parameters = list(inspect.signature(network.forward).parameters.values())[1:]
    given = {item.name: item.default for item in parameters if item.default is not inspect.Parameter.empty}
    return given or None


def _erase(graph: fx.Graph, node: fx.Node) -> None:
    """Remove the placeholder of a parameter fixed at its default, and torch.fx's assertions on it."""
    for user in list(node.users):
        _erase(graph, user)
    graph.erase_node(node)
