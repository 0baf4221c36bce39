"""Activation functions that no output exceeds a value of: among many images the largest outputs tie there."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from pipeline.receptive_field.operations import BOUNDED

BOUNDED_NAMES = frozenset({
    "relu6", "hardtanh", "hardtanh_", "hardsigmoid", "sigmoid", "sigmoid_", "special_expit", "tanh", "tanh_",
    "softsign", "log_sigmoid", "logsigmoid", "clamp_max", "clamp_max_",
})  # fmt: skip
CLAMPS = frozenset({"clamp", "clamp_", "clip", "clip_"})


def is_bounded(module: nn.Module | None, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tell whether an activation function is monotone and bounded above.

    Parameters
    ----------
    module
        What is called; None for a function or a method.
    name
        Of the function or method.
    args, kwargs
        What it is called with, a method's own tensor first: a clamp is bounded where it has a maximum.
    """
    if module is not None:
        return isinstance(module, BOUNDED)
    if name in CLAMPS:
        return (args[2] if len(args) > 2 else kwargs.get("max")) is not None
    return name in BOUNDED_NAMES
