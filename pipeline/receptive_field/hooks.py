"""Watching the modules of a network whose operations cannot be followed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from pipeline.receptive_field.operations import BOUNDED

Note = Callable[[str, nn.Module | None, Tensor], Tensor | None]
INPUT = ".input"
# What is seen before they compute: codes enter a classifier, and among inputs images do not tie that give a
# bounded activation its largest value.
ENTERED = (nn.Linear, nn.Conv2d, *BOUNDED)
# How the reason begins of what is unknown because hooks see modules and nothing between them.
HOOKED = "watched through hooks: "


def input_name(name: str) -> str:
    """Return the name of what a module is given."""
    return name + INPUT


@contextmanager
def watching(modules: dict[str, nn.Module], note: Note) -> Iterator[None]:
    """Call `note` with each tensor that a module is given (those of `ENTERED`) or returns, at once.

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
            # What TorchScript compiled takes no hooks.
            if path and not isinstance(module, torch.jit.ScriptModule):
                for handle in _watch(path, module, counts, note):
                    stack.callback(handle.remove)
        yield


def _watch(path: str, module: nn.Module, counts: Counter[str], note: Note) -> Iterator[RemovableHandle]:
    def numbered(counter: str) -> str:
        counts[counter] += 1
        return path if counts[counter] == 1 else f"{path}_{counts[counter] - 1}"

    def enter(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not (args and isinstance(args[0], Tensor)):
            return None
        other = note(input_name(numbered(input_name(path))), None, args[0])
        return None if other is None else (other, *args[1:])

    def leave(_: nn.Module, args: tuple[Any, ...], value: object) -> Tensor | None:
        return note(numbered(path), module, value) if isinstance(value, Tensor) else None

    if isinstance(module, ENTERED):
        yield module.register_forward_pre_hook(enter)
    yield module.register_forward_hook(leave)
