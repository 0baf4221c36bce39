"""What a node of a traced graph calls."""

from torch import fx, nn

from pipeline.receptive_field.tracing import Trace


def is_one_of(
    traced: Trace, node: fx.Node, kinds: tuple[type[nn.Module], ...], names: frozenset[str]
) -> bool:
    """Tell whether a node calls a module of some kinds, or a function or method of some names."""
    module = traced.module(node)
    if module is not None:
        return isinstance(module, kinds)
    return node.op in ("call_function", "call_method") and called(node) in names


def called(node: fx.Node) -> str:
    """Return the name of the function or method that a node calls."""
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
