"""Following a network's own forward pass: each operation that an image enters, while it happens.

The network is run as it is, on real tensors. Sizes are numbers, so loops, branches and arithmetic on shapes
go the way they go; what is seen are calls of functions and methods of PyTorch, and of modules that torch.fx
would not look into either.
"""

import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pipeline.receptive_field.places import place
from pipeline.receptive_field.tracing import is_leaf

# Make Python's values of what a tensor holds; what follows may differ from image to image.
ESCAPES = frozenset({
    "__bool__", "__int__", "__float__", "__index__", "__complex__", "__contains__", "__array__", "item",
    "tolist", "numpy", "equal", "allclose", "is_nonzero", "__dlpack__",
})  # fmt: skip
STEERED = (
    "what runs next may depend on values of the image ({} of a tensor); write torch.where in place of if, or "
    "decide by shapes"
)


class Steered(BaseException):
    """Values of the image decide what is run next; no `except Exception` in a user's network holds it up."""


@dataclass(frozen=True)
class Operation:
    """One call of a function or a module that the image enters.

    Attributes
    ----------
    path
        Of the module: the one that is called, or the one in whose forward method the function is.
    target
        What is called.
    args, kwargs
        As they were given.
    result
        What came back; of an assignment to a part (`x[i] = y`), the whole.
    versions
        The tensors among the operands, each with its version before the call: an operation in place raises
        it.
    """

    path: str
    target: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    versions: Sequence[tuple[Tensor, int]]

    @property
    def name(self) -> str:
        """Of the function; of a module its path."""
        return self.path if isinstance(self.target, nn.Module) else self.target.__name__


class Marks:
    """What is known of tensors, by their identity and for as long as they live."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[weakref.ref[Tensor], Any]] = {}

    def get(self, tensor: Tensor) -> Any:
        """Return a tensor's mark, None where it has none."""
        reference, mark = self._found.get(id(tensor), (None, None))
        return mark if reference is not None and reference() is tensor else None

    def put(self, tensor: Tensor, mark: Any = "marked") -> None:
        """Mark a tensor."""
        self._found[id(tensor)] = (weakref.ref(tensor), mark)

    def alive(self) -> list[tuple[Tensor, Any]]:
        """Return the tensors that still live, and their marks."""
        found = [(reference(), mark) for reference, mark in self._found.values()]
        return [(tensor, mark) for tensor, mark in found if tensor is not None]


class Following(TorchFunctionMode):
    """A pass through a network that sees its operations; to be made anew for each pass.

    Parameters
    ----------
    network
        In eval mode.

    Attributes
    ----------
    marks
        Tensors that depend on the image; what a subclass knows of each.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.marks, self._constants = Marks(), Marks()
        for tensor in _own(network):
            self._constants.put(tensor)
        self._paths = [""]
        self._in_leaf = 0
        self._stop: Steered | None = None
        self._versions: Sequence[tuple[Tensor, int]] = ()

    def run(self, batch: Tensor) -> Any:
        """Run the network and return what it returns.

        Parameters
        ----------
        batch
            (n, C, h, w), of the network's dtype and on its device.

        Raises
        ------
        Steered
            A tensor that depends on the image was made a number, a truth value, a list or an array; file and
            line stand in the message.
        """
        if self.marks.get(batch) is None:
            self.marks.put(batch)
        with ExitStack() as stack:
            for path, module in self.network.named_modules():
                # What TorchScript compiled takes no hooks: nobody sees how its results are made.
                if path and not isinstance(module, torch.jit.ScriptModule):
                    self._hook(stack, path, module)
            stack.enter_context(self)
            result = self.network(batch)
        if self._stop is not None:
            # A bare `except` of the user's held it up.
            raise self._stop
        return result

    def see(self, operation: Operation) -> Any:
        """Take note of an operation; what is returned takes the place of its result."""
        raise NotImplementedError

    def given(self, value: Any) -> Any:
        """Return what is to be given to an operation in place of its operands."""
        return value

    def measured(self, tensor: Tensor) -> None:
        """Take note that the network's code asked for the size of a tensor."""

    def entered(self, path: str, module: nn.Module) -> None:
        """Take note that the forward method of a module that is looked into begins."""

    def left(self, path: str, module: nn.Module, result: Any) -> None:
        """Take note that it ended."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function of PyTorch, and see it unless it is the inside of a module that stays closed."""
        kwargs = kwargs or {}
        if self._in_leaf:
            return func(*args, **kwargs)
        args, kwargs = self.given(args), self.given(kwargs)
        operands = list(tensors((args, kwargs)))
        if self._entered_by_image(operands) and func.__name__ in ESCAPES:
            self._stop = Steered(f"{place(sys._getframe(1))}: {STEERED.format(func.__name__.strip('_'))}")
            raise self._stop
        versions = self.versions(operands)
        result = func(*args, **kwargs)
        if func.__name__ == "__setitem__":
            result = args[0]
        return self._noted(Operation(self._paths[-1], func, args, kwargs, result, versions), operands)

    def versions(self, operands: Sequence[Tensor]) -> Sequence[tuple[Tensor, int]]:
        """Return what is to stand in `Operation.versions`; nothing by default."""
        return ()

    def _noted(self, operation: Operation, operands: Sequence[Tensor]) -> Any:
        found = list(tensors(operation.result))
        if not self._entered_by_image(operands):
            for tensor in found:
                self._constants.put(tensor)
            return operation.result
        if not found:
            if operands and _is_size(operation.target):
                self.measured(operands[0])
            return operation.result
        # What `see` itself does with tensors is nothing of the network's.
        self._in_leaf += 1
        result = self.see(operation)
        self._in_leaf -= 1
        for tensor in tensors(result):
            if self.marks.get(tensor) is None:
                self.marks.put(tensor)
        return result

    def _entered_by_image(self, operands: Sequence[Tensor]) -> bool:
        """Tell whether any operand depends on the image, or was made where nobody saw it."""
        return any(self.marks.get(item) is not None or self._constants.get(item) is None for item in operands)

    def unseen(self, tensor: Tensor) -> bool:
        """Tell whether a tensor was made by something that is not seen: a compiled function, NumPy."""
        return self.marks.get(tensor) is None and self._constants.get(tensor) is None

    def _hook(self, stack: ExitStack, path: str, module: nn.Module) -> None:
        closed = is_leaf(module)

        def enter(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if closed or self._in_leaf:
                self._in_leaf += 1
                if self._in_leaf > 1:
                    return None
                args, kwargs = self.given(args), self.given(kwargs)
                self._versions = self.versions(list(tensors((args, kwargs))))
                return args, kwargs
            self._paths.append(path)
            self.entered(path, module)
            return None

        def leave(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
            if not self._in_leaf:
                self._paths.pop()
                self.left(path, module, result)
                return None
            self._in_leaf -= 1
            if self._in_leaf:
                return None
            operation = Operation(path, module, args, kwargs, result, self._versions)
            return self._noted(operation, list(tensors((args, kwargs))))

        stack.callback(module.register_forward_pre_hook(enter, with_kwargs=True).remove)
        stack.callback(module.register_forward_hook(leave, with_kwargs=True).remove)


def tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors within tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def _own(network: nn.Module) -> Iterator[Tensor]:
    """Yield the tensors that a network holds: parameters, buffers, attributes of its modules."""
    for module in network.modules():
        yield from tensors(vars(module))


def _is_size(target: Any) -> bool:
    return target.__name__ == "size" or (target.__name__ == "__get__" and target.__self__.__name__ == "shape")
