"""Operations whose neurons look through windows: convolution, pooling, padding. What they do to fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Size, Tensor, nn

from pipeline.numerics.geometry import GLOBAL
from pipeline.receptive_field.geometry import (
    Field,
    Windows,
    adaptive,
    look,
    mix,
    pad_channels,
    sliding,
)


@dataclass(frozen=True)
class Call:
    """One operation of a graph.

    Attributes
    ----------
    name
        Of the function or method; empty for a module.
    module
        What is called, if a module.
    args, kwargs
        The operands, a `Field` in the place of each tensor that depends on the image.
    result
        What the network itself computed, for one image.
    computed
        Whether an operand other than the first was itself computed (`avg_pool2d(x, x.size(2))`).
    reason
        Why its result is unknown if no rule follows it.
    """

    name: str
    module: nn.Module | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    computed: bool = False
    reason: str = ""

    def get(self, position: int, name: str, default: Any = None) -> Any:
        """Return an operand of a function."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)

    @property
    def field(self) -> Any:
        """The first operand, a `Field` where that depends on the image."""
        return self.args[0] if self.args else next(iter(self.kwargs.values()))

    @property
    def shape(self) -> Size:
        """Shape of the result."""
        return self.result.shape


def _convolve(call: Call, kernel: Sequence[int], options: Mapping[str, Any]) -> Field | None:
    field = call.field
    if field.axes != (2, 3) or len(field.shape) != 4:
        return None
    stride, dilation = _pair(options["stride"]), _pair(options["dilation"])
    padding, mode = options["padding"], options["padding_mode"]
    if isinstance(padding, str):
        same = padding == "same"
        padding = tuple(d * (k - 1) // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True))
    before = _pair(padding)
    mixed = mix(field, options["groups"], call.shape)
    windows = [
        Windows(made.index, made.stride, mode)
        for made in map(sliding, kernel, stride, before, dilation, call.shape[2:])
    ]
    return look(mixed, (windows[0], windows[1]), call.shape)


def convolution(call: Call) -> Field | None:
    """Return the field of a convolution module's output, None where it is not followed."""
    module = call.module
    assert isinstance(module, nn.Conv2d)
    names = ("stride", "padding", "dilation", "groups", "padding_mode")
    return _convolve(call, module.kernel_size, {name: getattr(module, name) for name in names})


def convolution_function(call: Call) -> Field | None:
    """Return the field of `conv2d`'s output, None where it is not followed."""
    weight = call.get(1, "weight")
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    options = {name: call.get(3 + i, name, value) for i, (name, value) in enumerate(defaults.items())}
    return _convolve(call, weight.shape[2:], options | {"padding_mode": "zeros"})


def pool(call: Call) -> Field | None:
    """Return the field of an average or maximum pooling's output, None where it is not followed."""
    module: Any = call.module
    dilation: Any = 1
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        size, stride, padding = module.kernel_size, module.stride, module.padding
        dilation = module.dilation if isinstance(module, nn.MaxPool2d) else 1
    else:
        size, stride, padding = call.get(1, "kernel_size"), call.get(2, "stride"), call.get(3, "padding", 0)
        dilation = call.get(4, "dilation", 1) if call.name.startswith("max") else 1
    field, kernel = call.field, _pair(size)
    if field.axes != (2, 3) or len(field.shape) != 4 or not isinstance(call.result, Tensor):
        return None
    # A size taken from the map itself says that the whole map is meant; a constant may equal it by chance.
    if call.computed and tuple(kernel) == field.shape[2:] and tuple(call.shape[2:]) == (1, 1):
        return Field((field.shape[0], *call.shape[1:]), GLOBAL)
    steps = _pair(stride or size)
    made = list(map(sliding, kernel, steps, _pair(padding), _pair(dilation), call.shape[2:]))
    return look(field, (made[0], made[1]), call.shape)


def adaptive_pool(call: Call) -> Field | None:
    """Return the field of an adaptive pooling's output, GLOBAL where that is one position."""
    field = call.field
    if field.axes != (2, 3) or len(field.shape) != 4 or not isinstance(call.result, Tensor):
        return None
    if tuple(call.shape[2:]) == (1, 1):
        return Field((field.shape[0], *call.shape[1:]), GLOBAL)
    made = list(map(adaptive, field.shape[2:], call.shape[2:]))
    return look(field, (made[0], made[1]), call.shape)


def pad(call: Call) -> Field | None:
    """Return the field of a padded (by negative numbers: cropped) map, None where it is not followed."""
    field, mode = call.field, call.get(2, "mode", "constant")
    given: Any = call.module.padding if call.module is not None else call.get(1, "pad")
    pads = [*given]
    if call.module is not None:
        mode = type(call.module).__name__.removesuffix("Pad2d").lower().removesuffix("ion")
    pads += [0] * (8 - len(pads))
    if field.axes != (2, 3) or len(field.shape) != 4 or any(pads[6:]):
        return None
    rule = {"constant": "zeros", "zero": "zeros", "replicat": "replicate"}.get(mode, mode)
    made = [sliding(1, 1, before, 1, n) for before, n in zip((pads[2], pads[0]), call.shape[2:], strict=True)]
    windows = [Windows(window.index, 1, rule) for window in made]
    inner = (call.shape[0], field.shape[1], *call.shape[2:])
    moved = look(field, (windows[0], windows[1]), inner)
    return pad_channels(moved, pads[4], call.shape) if any(pads[4:6]) and min(pads[4:6]) >= 0 else moved


def _pair(value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    return (pair[0], pair[0]) if len(pair) == 1 else (pair[0], pair[1])
