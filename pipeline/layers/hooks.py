"""Watching the modules of a network that torch.fx cannot trace."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from pipeline.model.outputs import logits_of
from pipeline.receptive_field.fields import does_not_run

Note = Callable[[str, nn.Module | None, Tensor], Tensor | None]
INPUT = ".input"


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module.

    Attributes
    ----------
    name
        The module's path; the second call of the same module ends in `_1`, and so on. What a dense or
        convolution layer is given has its name followed by `.input`.
    module
        What was called, None for an input.
    shape
        Of the output for one image.
    is_block
        Whether the module has a forward method of its own around others'.
    gives_logits
        Whether the network returns this output as its logits.
    """

    name: str
    module: nn.Module | None
    shape: tuple[int, ...]
    is_block: bool
    gives_logits: bool = False


def input_name(name: str) -> str:
    """Return the name of what a module is given."""
    return name + INPUT


def describe_calls(network: nn.Module, image: Tensor) -> list[ModuleCall]:
    """Run a network on one image (1, channels, h, w) and list the calls of its modules that return a tensor.

    Raises
    ------
    UserError
        The network does not run on it.
    """
    calls: list[tuple[ModuleCall, Tensor]] = []
    modules = dict(network.named_modules())

    def note(name: str, module: nn.Module | None, value: Tensor) -> None:
        is_block = module is not None and any(module.children()) and not isinstance(module, nn.Sequential)
        calls.append((ModuleCall(name, module, tuple(value.shape), is_block), value))

    try:
        with torch.no_grad(), watching(modules, note):
            logits = logits_of(network(image))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        raise does_not_run(image, error) from error
    return [replace(call, gives_logits=value is logits) for call, value in calls]


@contextmanager
def watching(modules: dict[str, nn.Module], note: Note) -> Iterator[None]:
    """Call `note` with each tensor that a module is given (dense and convolution layers) or returns, at once.

    A tensor that `note` returns takes its place.

    Parameters
    ----------
    modules
        Path to module, as `named_modules` gives them; the network itself (the empty path) is left out.
    note
        Given the call's name, the module (None for an input) and the tensor.
    """
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        for path, module in modules.items():
            if path:
                for handle in _watch(path, module, counts, note):
                    stack.callback(handle.remove)
        yield


def _watch(path: str, module: nn.Module, counts: Counter[str], note: Note) -> Iterator[RemovableHandle]:
    def number(counter: str) -> str:
        counts[counter] += 1
        return path if counts[counter] == 1 else f"{path}_{counts[counter] - 1}"

    def enter(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not (args and isinstance(args[0], Tensor)):
            return None
        other = note(input_name(number(path + INPUT)), None, args[0])
        return None if other is None else (other, *args[1:])

    def leave(_: nn.Module, args: tuple[Any, ...], value: object) -> Tensor | None:
        return note(number(path), module, value) if isinstance(value, Tensor) else None

    if isinstance(module, nn.Linear | nn.Conv2d):
        yield module.register_forward_pre_hook(enter)
    yield module.register_forward_hook(leave)
