"""Backward rules: how a signal passes rectifiers on its way back from a layer to the image.

With f what enters a rectifier and R the signal from above, what goes on is

    gradient            R where the rectifier passes f
    deconvnet           R where R > 0                     (Zeiler and Fergus, ECCV 2014)
    guided_backprop     R where both hold                 (Springenberg et al., ICLR workshop 2015)

A rectifier passes f > 0; one that is bounded above, a ReLU6, passes nothing of what it cuts off. Everything
else is passed as its derivative says: convolutions transposed and without their biases, max pooling through
its switches (added up where windows overlap), batch and local response normalisation, products by each of
their factors, gates.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Literal, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pipeline.layers.audit import RULED, Audit
from pipeline.layers.rectifiers import Rectifier, lacks_rule, rectifier_of
from pipeline.receptive_field.following import tensors
from pipeline.receptive_field.tracing import trace

Rule = Literal["gradient", "deconvnet", "guided_backprop"]
Found = TypeVar("Found")


class NoRuleError(Exception):
    """A signal would have to pass something that its rule says nothing of.

    Attributes
    ----------
    what
        Which operation, as a reader of the report knows it.
    where
        The layer; empty where that is not known.
    """

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what, where)
        self.what, self.where = what, where

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def raised(found: Iterable[Found | NoRuleError]) -> Iterator[Found]:
    """Yield what was found; raise an error that stands in place of it."""
    for one in found:
        if isinstance(one, NoRuleError):
            raise one
        yield one


class Rectifiers(TorchFunctionMode):
    """While it is entered, every rectifier of a network passes signals back by `rule`.

    Each call is one of its own, be it of a module, of one that is called twice, or of a function, in place or
    not. The rule may be changed between two signals through one pass.

    Parameters
    ----------
    network
        In eval mode.

    Raises
    ------
    NoRuleError
        While it is entered: the image's way leads through an activation function that is no rectifier, or
        through what cannot be seen.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.rule: Rule = "gradient"
        self._network = network
        self._paths = [""]
        self._hooks = ExitStack()
        self._audit = Audit()

    def __enter__(self) -> Self:
        """Begin to see what is called."""
        for path, module in self._network.named_modules():
            # What TorchScript compiled takes no hooks.
            if path and not isinstance(module, torch.jit.ScriptModule):
                self._hook(path, module)
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the network as it was."""
        self._hooks.close()
        super().__exit__(*error)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function of PyTorch, a rectifier with its rule."""
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        rectifier = rectifier_of(name, args, kwargs)
        if rectifier is None and not lacks_rule(name, args, kwargs):
            return func(*args, **kwargs)
        if not args[0].requires_grad:
            return func(*args, **kwargs)
        if rectifier is None:
            where = self._paths[-1] or _first_function(self._network)
            raise NoRuleError(f"{name.strip('_')} is no rectifier", where)
        if not torch.is_grad_enabled():
            raise NoRuleError(f"{name.strip('_')} is called where no gradient is kept", self._paths[-1])
        return Rectified.apply(args[0], self, rectifier, lambda value: func(value, *args[1:], **kwargs))

    def check(self, value: Tensor) -> None:
        """Check that a signal from a tensor passes rectifiers alone, each by its rule.

        Parameters
        ----------
        value
            Of the pass that was run while this was entered.

        Raises
        ------
        NoRuleError
            It does not, or there are gates, and no rectifier.
        """
        self._look(value, "")
        if self._audit.gates and not self._audit.rectifiers:
            raise NoRuleError("there are gates, but no rectifier")

    def _look(self, value: Tensor, where: str) -> None:
        fault = self._audit.fault(value.grad_fn)
        if fault:
            raise NoRuleError(fault, where)

    def _hook(self, path: str, module: nn.Module) -> None:
        def enter(*_: object) -> None:
            self._paths.append(path)

        def leave(_: nn.Module, __: object, result: Any) -> None:
            self._paths.pop()
            for value in tensors(result):
                self._look(value, path)

        self._hooks.callback(module.register_forward_pre_hook(enter).remove)
        self._hooks.callback(module.register_forward_hook(leave).remove)


class Rectified(torch.autograd.Function):
    """A rectifier as it is called, and its rule on the way back."""

    @staticmethod
    def forward(
        ctx: Any, value: Tensor, rules: Rectifiers, rectifier: Rectifier, call: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Call it, be it in place."""
        ctx.rules = rules
        ctx.save_for_backward((value > rectifier.low) & (value < rectifier.high))
        result = call(value)
        if result is value:
            ctx.mark_dirty(value)
        return result

    @staticmethod
    def backward(ctx: Any, *signals: Any) -> Any:
        """Pass the signal to what entered, and to nothing else."""
        (signal,) = signals
        if ctx.rules.rule != "deconvnet":
            (passes,) = ctx.saved_tensors
            signal = signal * passes
        if ctx.rules.rule != "gradient":
            signal = signal.clamp(min=0)
        return signal, None, None, None


def _first_function(network: nn.Module) -> str:
    """Return the layer of the first function that no rule is known of; empty where that is not known."""
    traced = trace(network)
    for node, name in traced.names.items() if traced else ():
        called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        if node.op in ("call_function", "call_method") and lacks_rule(called, node.args, node.kwargs):
            return name
    return ""


assert f"{Rectified.__name__}Backward" == RULED
