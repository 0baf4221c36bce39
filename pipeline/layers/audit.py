"""An audit of autograd's graph: no rectifier may be in it that no backward rule was given to.

Calls are seen where PyTorch lets them be seen. What TorchScript compiled, or an autograd function of the
network's own, is not: there the signal would be that of the plain gradient, under another method's name.
"""

from __future__ import annotations

from typing import Any

from torch.autograd.function import FunctionCtx

# Nodes that activation functions without a rule leave; rectifiers with one leave `RULED`.
_UNSEEN = (
    "Relu", "Threshold", "LeakyRelu", "Prelu", "Rrelu", "Elu", "Celu", "Gelu", "Silu", "Mish", "Softplus",
    "Hardswish", "Hardtanh", "Tanh", "LogSigmoid", "Hardshrink", "Softshrink", "Glu", "Erf",
)  # fmt: skip
_GATES = ("Sigmoid", "Hardsigmoid")
RULED = "RectifiedBackward"


class Audit:
    """What was found in a graph; each node is looked at once, and kept until then.

    Attributes
    ----------
    rectifiers, gates
        Whether there are rectifiers that have a rule, and gates.
    """

    def __init__(self) -> None:
        self._done: set[Any] = set()
        self.rectifiers = self.gates = False

    def fault(self, node: Any) -> str | None:
        """Return what is wrong with a node and those that it was made of; None where nothing is.

        Parameters
        ----------
        node
            Of autograd's graph; None where there is none.
        """
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node is None or node in self._done:
                continue
            self._done.add(node)
            name = node.name()
            self.rectifiers |= name == RULED
            self.gates |= name.startswith(_GATES)
            if found := _fault(node, name):
                return found
            waiting += [source for source, _ in node.next_functions]
        return None


def _fault(node: Any, name: str) -> str | None:
    if name.startswith(_UNSEEN) or (name.startswith("Clamp") and _low(node) is not None):
        return f"{name.partition('Backward')[0]} is computed where it cannot be seen"
    if "jit" in name:
        return "TorchScript computes it where it cannot be seen"
    if isinstance(node, FunctionCtx) and name != RULED:
        return f"{name.removesuffix('Backward')} is an autograd function of the network's own"
    if name.startswith("Mul") and _gates_itself(node):
        return "what is multiplied by its own sigmoid is no rectifier"
    return None


def _low(node: Any) -> Any:
    return getattr(node, "_saved_min", None)


def _gates_itself(node: Any) -> bool:
    """Tell whether a product is that of something and its own sigmoid."""
    sources = [source for source in node.next_functions if source[0] is not None]
    return any(gate[0].name().startswith(_GATES) and gate[0].next_functions[0] in sources for gate in sources)
