"""Rectifiers: activation functions that are nothing below a bound, as a call of PyTorch is one of them.

What is a rectifier has a backward rule (`pipeline.layers.rules`); no such rule is published of another
activation function, and a signal is not led through it under a rule's name. Gates are the exception: a
sigmoid is a factor of what passes, and its derivative is taken.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

# Activation functions without a rule, as functions of PyTorch are called.
WITHOUT_RULE = frozenset({
    "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "hardswish",
    "tanh", "softsign", "logsigmoid", "log_sigmoid", "hardshrink", "softshrink", "tanhshrink", "threshold",
    "hardtanh", "glu", "erf",
})  # fmt: skip


class Rectifier(NamedTuple):
    """Bounds of a rectifier: of its input, `low` < f < `high` passes as it is; neither is below 0.

    A ReLU is bounded by 0 and infinity, a ReLU6 by 0 and 6.
    """

    low: float
    high: float


def rectifier_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Rectifier | None:
    """Return the rectifier that a call is; None where it is none.

    Parameters
    ----------
    name
        Of the function or method.
    args, kwargs
        What it is called with, the tensor first.
    """
    plain = name.strip("_")
    bounds = BOUNDS[plain](args, kwargs) if plain in BOUNDS else None
    if bounds is None or any(isinstance(bound, Tensor) for bound in bounds):
        return None
    low, high = bounds
    return Rectifier(float(low), float(high)) if 0 <= low < high else None


def lacks_rule(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tell whether a call is an activation function that no backward rule is known of.

    Parameters
    ----------
    name, args, kwargs
        As of `rectifier_of`.
    """
    plain = name.strip("_")
    if rectifier_of(name, args, kwargs) is not None:
        return False
    if plain in ("clamp", "clip", "clamp_min"):
        # With an upper bound only it keeps no sign back.
        return _given(args, kwargs, 1, "min") is not None
    return plain in WITHOUT_RULE


def _given(args: Sequence[Any], kwargs: Mapping[str, Any], place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _clamped(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, Any] | None:
    low, high = _given(args, kwargs, 1, "min"), _given(args, kwargs, 2, "max")
    return None if low is None else (low, math.inf if high is None else high)


def _threshold(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, Any] | None:
    low, value = _given(args, kwargs, 1, "threshold"), _given(args, kwargs, 2, "value")
    return (low, math.inf) if low == value else None


# Function to the bounds of a call of it.
BOUNDS: dict[str, Callable[[Sequence[Any], Mapping[str, Any]], tuple[Any, Any] | None]] = {
    "relu": lambda args, kwargs: (0, math.inf),
    "relu6": lambda args, kwargs: (0, 6),
    "hardtanh": lambda args, kwargs: (
        _given(args, kwargs, 1, "min_val", -1), _given(args, kwargs, 2, "max_val", 1)
    ),
    "clamp": _clamped,
    "clip": _clamped,
    "clamp_min": lambda args, kwargs: (_given(args, kwargs, 1, "min"), math.inf),
    "threshold": _threshold,
}  # fmt: skip
