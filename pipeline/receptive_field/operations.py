"""What each operation of a traced network does to fields: the table behind receptive fields.

An operation that stands in no table is UNKNOWN, and so is everything after it: a wrong receptive field is
worse than none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Size, Tensor, nn
from torchvision.ops import StochasticDepth
from torchvision.ops.misc import FrozenBatchNorm2d, Permute

from pipeline.numerics.geometry import EXACT, GLOBAL, UNKNOWN
from pipeline.receptive_field.geometry import (
    NEVER,
    ROWS,
    Field,
    concatenate,
    like,
    permute,
    reduce,
    squash,
    step,
    unite,
)  # fmt: skip
from pipeline.receptive_field.tokens import (
    attention,
    dot_product_attention,
    einsum,
    hides,
    merged_patches,
    product,
    reshape,
    shifted_windows,
)
from pipeline.receptive_field.windows import Call, adaptive_pool, convolution, convolution_function, pad, pool

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Softplus, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softsign, nn.Threshold,
    nn.LogSigmoid,
)  # fmt: skip
# Those that no output exceeds a value of; ReLU6 is a Hardtanh.
BOUNDED = (nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softsign)
ACTIVATION_NAMES = frozenset({
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "selu", "celu",
    "gelu", "silu", "mish", "softplus", "hardswish", "hardsigmoid", "hardtanh", "hardtanh_", "sigmoid",
    "sigmoid_", "special_expit", "tanh", "tanh_", "softsign", "log_sigmoid", "logsigmoid", "threshold",
    "clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "clip", "clip_",
})  # fmt: skip
POINTWISE = (
    *ACTIVATIONS, nn.Identity, nn.Dropout, nn.Dropout2d, nn.AlphaDropout, StochasticDepth,
    FrozenBatchNorm2d,
)  # fmt: skip
POINTWISE_NAMES = ACTIVATION_NAMES | {
    "dropout", "dropout_", "dropout2d", "alpha_dropout", "stochastic_depth", "abs", "neg",
    "exp", "sqrt", "rsqrt", "square", "pow", "float", "half", "bfloat16", "to", "type_as", "contiguous",
    "clone", "detach", "add", "sub", "mul", "truediv", "div", "true_divide", "iadd", "isub", "imul",
    "itruediv", "add_", "sub_", "mul_", "div_", "multiply", "subtract", "divide", "maximum", "minimum",
}  # fmt: skip
PRODUCT_NAMES = frozenset({"mul", "imul", "mul_", "multiply"})
SHAPE_NAMES = frozenset({"size", "dim", "ndimension", "numel", "getattr", "get_device", "is_floating_point"})


def apply(call: Call, *, gates: bool = True) -> Any:
    """Return the field of an operation's result, or its value where it does not depend on the image.

    Parameters
    ----------
    call : Call
    gates : bool
        Whether a factor that sees the whole image counts, such as the gate of squeeze-and-excitation.

    Returns
    -------
    Field, tuple of Field, or any
    """
    if call.name in SHAPE_NAMES:
        return _shape(call)
    if call.name == "getitem" and not isinstance(call.field, Field):
        return call.args[0][call.args[1]]
    call = call if gates else _without_gates(call)
    fields = list(_fields((call.args, call.kwargs)))
    for status in (UNKNOWN, GLOBAL):
        found = next((field for field in fields if field.status == status), None)
        if found is not None:
            return like(call.result, status, found.reason)
    rule = _rule(call)
    # The image may enter a product or a sum second, after a constant; every other rule reads its first
    # operand.
    followed = rule in (_pointwise, einsum, product) or (
        bool(call.args) and isinstance(call.args[0], Field | list | tuple)
    )
    if any(field.batch for field in fields) and rule not in MOVED:
        rule = None
    changed = rule(call) if rule and followed else None
    return changed if _fits(changed, call.result) else like(call.result, UNKNOWN, call.reason)


def trusted(target: Callable[..., Any]) -> bool:
    """Tell whether a function is PyTorch's or Python's own, so that its name says what it does."""
    module = getattr(target, "__module__", None) or "torch"
    return module.partition(".")[0] in {"torch", "torchvision", "_operator", "builtins", "math"}


def _fields(value: Any) -> Iterable[Field]:
    if isinstance(value, Field):
        yield value
    elif isinstance(value, Mapping):
        yield from _fields(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _fields(item)


def _without_gates(call: Call) -> Call:
    """Return a product without those factors that see the whole image, where another does not."""
    if call.name not in PRODUCT_NAMES:
        return call
    kept = [item for item in call.args if not (isinstance(item, Field) and item.status == GLOBAL)]
    return replace(call, args=tuple(kept)) if any(isinstance(item, Field) for item in kept) else call


def _shape(call: Call) -> Any:
    field = call.field
    if call.name == "size":
        wanted = call.get(1, "dim")
        return Size(field.shape) if wanted is None else field.shape[wanted]
    if call.name == "getattr" and call.args[1] == "shape":
        return Size(field.shape)
    if call.name == "getattr" and isinstance(call.result, Tensor):
        return like(call.result, UNKNOWN, call.reason)
    return call.result


def _fits(changed: Any, result: Any) -> bool:
    """Check a field against the shape of what the network computed: no rule is trusted further than that."""
    if isinstance(changed, tuple) and isinstance(result, list | tuple):
        return len(changed) == len(result) and all(map(_fits, changed, result))
    if not (isinstance(changed, Field) and isinstance(result, Tensor)):
        return changed is result is None
    shape = list(result.shape)
    if changed.y is None:
        return len(shape) == len(changed.shape)
    images, shape[changed.batch] = shape[changed.batch], ROWS
    return images == 1 and changed.shape == tuple(shape)


def _rule(call: Call) -> Callable[[Call], Any] | None:
    if call.module is None:
        return _pointwise if call.name in POINTWISE_NAMES else NAMED.get(call.name)
    if isinstance(call.module, POINTWISE):
        return _pointwise
    return next((rule for kinds, rule in MODULES if isinstance(call.module, kinds)), None)


def _pointwise(call: Call) -> Field | None:
    fields = list(_fields((call.args, call.kwargs)))
    if any(field.axes != fields[0].axes or len(field.shape) != len(call.shape) for field in fields):
        return None
    constants = [item for item in call.args if isinstance(item, Tensor)]
    if fields[0].axes[0] == fields[0].axes[1] is not None and any(map(hides, constants)):
        return None
    return fields[0] if len(fields) == 1 else unite(fields, call.shape)


def _batch_norm(call: Call) -> Field | None:
    # Without running statistics each image is normalised by its batch.
    return call.field if getattr(call.module, "running_mean", None) is not None else None


def _batch_norm_function(call: Call) -> Field | None:
    return None if call.get(5, "training", False) else call.field


def _mean(call: Call) -> Field | None:
    wanted = call.get(1, "dim")
    rank = len(call.field.shape)
    dimensions = range(rank) if wanted is None else _whole(wanted, rank)
    if 0 in dimensions:
        return None
    return reduce(call.field, list(dimensions), call.shape, keep=len(call.shape) == rank)


def _last_mixed(call: Call) -> Field | None:
    """Mix the last dimension (linear) or the last few (layer normalisation)."""
    normalised = getattr(call.module, "normalized_shape", None) or (
        call.get(1, "normalized_shape") if call.name == "layer_norm" else (0,)
    )
    return _mixed(call, [-1 - i for i in range(len(normalised))])


def _softmax(call: Call) -> Field | None:
    wanted: Any = call.module.dim if call.module is not None else call.get(1, "dim")
    return None if wanted is None else _mixed(call, _whole(wanted, len(call.field.shape)))


def _mixed(call: Call, dimensions: Sequence[int]) -> Field | None:
    rank = len(call.field.shape)
    mixed = {d % rank for d in dimensions}
    if mixed >= set(call.field.axes):
        return Field((call.field.shape[0], *call.shape[1:]), GLOBAL)
    if mixed & {0, *call.field.axes}:
        return None
    return call.field.with_lines(lambda line: line.amax(sorted(mixed), keepdim=True), call.shape)


def _everywhere(call: Call) -> Field | None:
    """Group and instance normalisation: each neuron depends on the whole map."""
    return Field((call.field.shape[0], *call.shape[1:]), GLOBAL)


def _concatenate(call: Call) -> Field | None:
    parts, dimension = call.args[0], call.get(1, "dim", 0)
    axes = {part.axes for part in parts if isinstance(part, Field)}
    if len(axes) > 1:
        return None
    y, x = axes.pop()
    dimension %= len(call.shape)
    if dimension == 0 or (y != x and dimension in (y, x)):
        return None
    return concatenate([_blind(part, (y, x)) for part in parts], dimension, call.shape)


def _blind(part: Field | Tensor, axes: tuple[int | None, int | None]) -> Field:
    """Return a constant among the parts, such as a class token, as a field that sees nothing."""
    if isinstance(part, Field):
        return part
    shape = (ROWS, *part.shape[1:])
    line = torch.tensor(NEVER).expand(shape)
    return Field(shape, EXACT, line, line, axes)


def _permute(call: Call) -> Field:
    order = call.module.dims if isinstance(call.module, Permute) else call.args[1:] or call.kwargs["dims"]
    order = order[0] if len(order) == 1 else order
    rank = len(call.field.shape)
    return permute(call.field, [d % rank for d in order])


def _unbind(call: Call) -> tuple[Field, ...] | None:
    field, dimension = call.field, call.get(1, "dim", 0) % len(call.field.shape)
    if dimension in (field.batch, *field.axes):
        return None
    return tuple(_selected(field, dimension, index) for index in range(field.shape[dimension]))


def _selected(field: Field, dimension: int, index: int) -> Field:
    y, x = (line.select(dimension, index) for line in field.lines)
    axes = [None if axis is None else axis - (axis > dimension) for axis in field.axes]
    batch = field.batch - (field.batch > dimension)
    return Field(tuple(y.shape), EXACT, y, x, (axes[0], axes[1]), batch=batch)


def _transpose(call: Call) -> Field:
    rank = len(call.field.shape)
    order = list(range(rank))
    a, b = (call.get(1, "dim0") % rank, call.get(2, "dim1") % rank)
    order[a], order[b] = order[b], order[a]
    return permute(call.field, order)


def _split(call: Call) -> tuple[Field, ...] | None:
    field, dimension = call.field, call.get(2, "dim", 0) % len(call.field.shape)
    if dimension == 0 or dimension in field.axes:
        return None
    sizes = [part.shape[dimension] for part in call.result]
    lines = [line.split(sizes, dimension) for line in field.lines]
    return tuple(Field(tuple(y.shape), EXACT, y, x, field.axes) for y, x in zip(*lines, strict=True))


def _channel_shuffle(call: Call) -> Field:
    groups = call.module.groups if call.module is not None else call.get(1, "groups")
    y, x = (line.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2) for line in call.field.lines)
    return Field(call.field.shape, EXACT, y, x, call.field.axes)


def _take(call: Call) -> Field | None:
    """Slice (`x[:, :, ::2, ::2]`); but for `x[0]`, what removes or adds a dimension is not followed."""
    field, index = call.field, call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    if len(index) == 1 and isinstance(index[0], int):
        return None if 0 in (field.batch, *field.axes) else _selected(field, 0, index[0])
    if Ellipsis in index:
        place = index.index(Ellipsis)
        index = (*index[:place], *[slice(None)] * (len(field.shape) - len(index) + 1), *index[place + 1 :])
    if not all(isinstance(item, slice) for item in index) or index[0] != slice(None):
        return None
    y, x = (line[index] for line in field.lines)
    taken = Field(tuple(y.shape), EXACT, y, x, field.axes)
    for number, axis in enumerate(field.axes):
        if axis is not None and axis < len(index) and index[axis].step not in (None, 1):
            taken = step(taken, number, index[axis].step)
    return taken


def _whole(dimensions: int | Sequence[int], rank: int) -> list[int]:
    return [d % rank for d in ([dimensions] if isinstance(dimensions, int) else dimensions)]


def _local_response(call: Call) -> Field | None:
    # A window over channels: no change where all channels see alike, not followed where they do not.
    alike = all(squash(line).shape[1] == 1 for line in call.field.lines)
    return call.field if alike else None


NAMED: dict[str, Callable[[Call], Any]] = {
    "conv2d": convolution_function, "max_pool2d": pool, "avg_pool2d": pool,
    "adaptive_avg_pool2d": adaptive_pool, "adaptive_max_pool2d": adaptive_pool, "pad": pad, "mean": _mean,
    "amax": _mean, "linear": _last_mixed, "layer_norm": _last_mixed, "softmax": _softmax,
    "log_softmax": _softmax, "batch_norm": _batch_norm_function, "group_norm": _everywhere,
    "instance_norm": _everywhere, "local_response_norm": _local_response, "cat": _concatenate,
    "concat": _concatenate, "view": reshape, "reshape": reshape, "flatten": reshape, "unflatten": reshape,
    "permute": _permute, "transpose": _transpose, "chunk": _split, "split": _split, "getitem": _take,
    "channel_shuffle": _channel_shuffle, "unbind": _unbind, "matmul": product, "bmm": product,
    "einsum": einsum, "scaled_dot_product_attention": dot_product_attention,
    "shifted_window_attention": shifted_windows, "_patch_merging_pad": merged_patches,
}  # fmt: skip
MODULES: tuple[tuple[tuple[type[nn.Module], ...], Callable[[Call], Any]], ...] = (
    ((nn.Conv2d,), convolution),
    ((nn.MaxPool2d, nn.AvgPool2d), pool),
    ((nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d), adaptive_pool),
    ((nn.BatchNorm2d,), _batch_norm),
    ((nn.Linear, nn.LayerNorm), _last_mixed),
    ((nn.GroupNorm, nn.InstanceNorm2d), _everywhere),
    ((nn.LocalResponseNorm,), _local_response),
    ((nn.Softmax, nn.LogSoftmax), _softmax),
    ((nn.Flatten, nn.Unflatten), reshape),
    ((nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder), attention),
    ((nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d), pad),
    ((nn.ChannelShuffle,), _channel_shuffle),
    ((Permute,), _permute),
)
# Rules that hold while the images are not the first dimension.
MOVED = (_permute, _transpose, _unbind, _take, attention)
