"""Which pixels of its input each neuron of a layer can see: intervals, and how operations change them.

A `Field` holds, for every neuron, the interval of rows and of columns that it can see, twice: within the
image, where padding is seen by nobody, and on an unlimited plane, where padding goes on as the layer does.
The second gives a layer's size, stride and start; the first says whether they are the truth at the borders
too. All numbers are kept so that a union is a maximum; so pooling, adding and concatenating fields needs no
more than tensor operations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.numerics.geometry import EXACT, GLOBAL

# Rows of a field's tensors: minus the first pixel and the end (exclusive) within the image, the same on the
# plane, and the pixels between neighbours.
IMAGE_START, IMAGE_END, PLANE_START, PLANE_END, STEP = range(5)
ROWS = 5
NEVER = float("-inf")


@dataclass(frozen=True)
class Field:
    """What the neurons of one tensor see.

    Attributes
    ----------
    shape
        The tensor's shape, ROWS in the place of the batch size.
    status
        EXACT, GLOBAL or UNKNOWN; the two last have no numbers.
    y, x
        (ROWS, ...) float32 of that shape: rows and columns of the image; a dimension that does not matter has
        stride 0.
    axes
        The dimensions that are the map's y and x, one for both where it was made a row of tokens; None where
        the dimension was reduced.
    batch
        The dimension of the images, which is ROWS long; only for a moment is it not the first.
    reason
        Of UNKNOWN.
    """

    shape: tuple[int, ...]
    status: str
    y: Tensor | None = None
    x: Tensor | None = None
    axes: tuple[int | None, int | None] = (None, None)
    reason: str = ""
    batch: int = 0

    @property
    def lines(self) -> tuple[Tensor, Tensor]:
        """The tensors of y and x of an exact field."""
        assert self.y is not None and self.x is not None
        return self.y, self.x

    def with_lines(self, change: Callable[[Tensor], Tensor], shape: Sequence[int]) -> "Field":
        """Return the field with its tensors changed alike and spread to a shape (batch included)."""
        y, x = (change(squash(line)) for line in self.lines)
        full = (ROWS, *shape[1:])
        return replace(self, shape=full, y=y.expand(full), x=x.expand(full))


@dataclass(frozen=True)
class Windows:
    """Where along one axis each of `count` outputs looks.

    Attributes
    ----------
    index
        (count, k) int64 positions of the layer before; outside it lies padding.
    stride
        Positions between neighbours.
    mode
        What padding holds: "zeros", "reflect", "replicate" or "circular".
    """

    index: Tensor
    stride: int
    mode: str = "zeros"


@dataclass(frozen=True)
class Extent:
    """One axis of a layer: neuron p sees `start + p * stride` to `start + p * stride + size` (exclusive).

    Attributes
    ----------
    size, stride, start
        Pixels of the image.
    seen
        First pixel and end (exclusive) of what each neuron sees of the image; (0, 0) if nothing.
    true
        Whether each neuron's interval is that, but for what borders and padding cut off; else it encloses
        that.
    """

    size: int
    stride: int
    start: int
    seen: tuple[tuple[int, int], ...]
    true: bool


def source(size: tuple[int, int], channels: int) -> Field:
    """Return the field of an image of (h, w) pixels: each pixel sees itself."""
    shape = (ROWS, channels, *size)
    y, x = (_pixels(length) for length in size)
    return Field(shape, EXACT, y[:, None, :, None].expand(shape), x[:, None, None, :].expand(shape), (2, 3))


def like(value: object, status: str, reason: str = "") -> object:
    """Return fields without numbers for a tensor, or for each tensor of a tuple; other values as they are."""
    if isinstance(value, Tensor):
        return Field((ROWS, *value.shape[1:]), status, reason=reason)
    return tuple(like(item, status, reason) for item in value) if isinstance(value, list | tuple) else value


def sliding(size: int, stride: int, before: int, dilation: int, count: int) -> Windows:
    """Return the windows of a convolution or a pooling that begins `before` positions ahead of its input."""
    starts = torch.arange(count)[:, None] * stride - before
    return Windows(starts + torch.arange(size) * dilation, stride)


def adaptive(length: int, count: int) -> Windows:
    """Return the windows of adaptive pooling from `length` to `count` positions (PyTorch's rule)."""
    number = torch.arange(count)
    starts, ends = number * length // count, -(-(number + 1) * length // count)
    widest = int((ends - starts).max())
    index = torch.minimum(starts[:, None] + torch.arange(widest), ends[:, None] - 1)
    return Windows(index, round(float(starts.diff().float().mean())) if count > 1 else 1)


def look(field: Field, windows: tuple[Windows, Windows], shape: Sequence[int]) -> Field:
    """Return what neurons see that look at windows (y, x) of a field whose axes are dimensions 2 and 3."""
    full = (ROWS, *shape[1:])
    y, x = (squash(line) for line in field.lines)
    y = _look(_look(y, 2, windows[0], own=True), 3, windows[1], own=False)
    x = _look(_look(x, 3, windows[1], own=True), 2, windows[0], own=False)
    return replace(field, shape=full, y=y.expand(full), x=x.expand(full))


def mix(field: Field, groups: int, shape: Sequence[int]) -> Field:
    """Return what channels see that are made of all channels of their group."""

    def union(line: Tensor) -> Tensor:
        if line.shape[1] == 1:
            return line
        grouped = line.unflatten(1, (groups, -1)).amax(2)
        return grouped.repeat_interleave(shape[1] // groups, 1) if groups > 1 else grouped

    return field.with_lines(union, (shape[0], shape[1], *field.shape[2:]))


def unite(fields: Sequence[Field], shape: Sequence[int]) -> Field:
    """Return what an elementwise operation of several fields sees; they broadcast."""
    full = (ROWS, *shape[1:])
    lines = []
    for parts in zip(*(field.lines for field in fields), strict=True):
        joined = squash(parts[0])
        for part in parts[1:]:
            joined = torch.maximum(joined, squash(part))
        lines.append(joined.expand(full))
    return replace(fields[0], shape=full, y=lines[0], x=lines[1])


def concatenate(fields: Sequence[Field], dimension: int, shape: Sequence[int]) -> Field:
    """Return the field of tensors joined along one dimension."""
    full = (ROWS, *shape[1:])
    lines = []
    for parts in zip(*(field.lines for field in fields), strict=True):
        small = [squash(part) for part in parts]
        common = [max(part.shape[d] for part in small) for d in range(len(full))]
        sizes = [[*common[:dimension], part.shape[dimension], *common[dimension + 1 :]] for part in parts]
        joined = torch.cat([part.expand(size) for part, size in zip(small, sizes, strict=True)], dimension)
        lines.append(joined.expand(full))
    return replace(fields[0], shape=full, y=lines[0], x=lines[1])


def reduce(field: Field, dimensions: Sequence[int], shape: Sequence[int], *, keep: bool) -> Field:
    """Return what a mean over dimensions sees; GLOBAL once both axes are gone."""
    axes = [None if axis in dimensions else axis for axis in field.axes]
    if axes == [None, None]:
        return Field((ROWS, *shape[1:]), GLOBAL)
    if not keep:
        axes = [axis and axis - sum(d < axis for d in dimensions) for axis in axes]
    reduced = field.with_lines(lambda line: line.amax(tuple(dimensions), keepdim=keep), shape)
    return replace(reduced, axes=(axes[0], axes[1]))


def permute(field: Field, order: Sequence[int]) -> Field:
    """Return the field with its dimensions in another order."""
    y, x = (line.permute(*order) for line in field.lines)
    axes = [None if axis is None else list(order).index(axis) for axis in field.axes]
    return Field(tuple(y.shape), EXACT, y, x, (axes[0], axes[1]), batch=list(order).index(field.batch))


def step(field: Field, axis: int, stride: int) -> Field:
    """Return the field after every `stride`-th position of an axis (0: y, 1: x) was taken."""
    lines = list(field.lines)
    lines[axis] = _stretch(lines[axis].clone(), stride)
    return replace(field, y=lines[0], x=lines[1])


def pad_channels(field: Field, before: int, shape: Sequence[int]) -> Field:
    """Return the field with channels added that see nothing."""
    after = shape[1] - before - field.shape[1]

    def padded(line: Tensor) -> Tensor:
        rest = [n for n in line.shape[2:]]
        full = line.expand(ROWS, field.shape[1], *rest)
        return F.pad(full, (0, 0) * len(rest) + (before, after), value=NEVER)

    return field.with_lines(padded, (shape[0], shape[1], *field.shape[2:]))


def squash(line: Tensor) -> Tensor:
    """Cut the dimensions along which a tensor repeats itself (stride 0) to length 1."""
    for dimension in range(1, line.ndim):
        if line.stride(dimension) == 0:
            line = line.narrow(dimension, 0, 1)
    return line


def fit(line: Tensor, axis: int) -> Extent | None:
    """Describe one axis of a layer; None where its neurons see nothing.

    Parameters
    ----------
    line
        `Field.y` or `Field.x`.
    axis
        The dimension that is this axis of the map.
    """
    small = squash(line)
    table = small.amax([d for d in range(1, line.ndim) if d != axis]).expand(ROWS, line.shape[axis])
    if not bool(torch.isfinite(table[PLANE_START:]).all()):
        return None
    seen = torch.isfinite(table[IMAGE_END]) & (table[IMAGE_END] > -table[IMAGE_START])
    if not bool(seen.any()):
        return None
    starts, ends, stride = -table[PLANE_START], table[PLANE_END], int(table[STEP, 0])
    low, high = torch.where(seen, -table[IMAGE_START], starts), torch.where(seen, table[IMAGE_END], ends)
    # Where an interval leaves what the layer sees at all, padding may cut off more than the border does.
    inside = ((starts == low) | (starts < low[seen].min())) & ((ends == high) | (ends > high[seen].max()))
    starts, ends = torch.minimum(starts, low), torch.maximum(ends, high)
    if len(starts) > 1:
        slope = (starts[-1] - starts[0]) / (len(starts) - 1)
        stride = min({stride, round(float(slope))}, key=lambda way: _enclose(starts, ends, way)[0])
    size, start = _enclose(starts, ends, stride)
    true = bool((inside & seen & (ends - starts == size)).all())
    intervals = torch.stack([low, high], 1).masked_fill(~seen[:, None], 0).int().tolist()
    return Extent(size, stride, start, tuple((a, b) for a, b in intervals), true)


def _enclose(starts: Tensor, ends: Tensor, stride: int) -> tuple[int, int]:
    """Return size and start of the smallest equal intervals, `stride` apart, that hold the given ones."""
    shift = torch.arange(len(starts)) * stride
    start = int((starts - shift).min())
    return int((ends - shift).max()) - start, start


def _pixels(length: int) -> Tensor:
    number = torch.arange(length, dtype=torch.float32)
    return torch.stack([-number, number + 1, -number, number + 1, torch.ones(length)])


def _look(line: Tensor, dimension: int, windows: Windows, *, own: bool) -> Tensor:
    """Take the union over windows along a dimension; `own` where `line` holds the pixels of that axis."""
    length = line.shape[dimension]
    if length == 1 and not own:
        return line
    inside = windows.index.clamp(0, length - 1)
    shape = [windows.index.shape if d == dimension else (1,) for d in range(1, line.ndim)]
    beyond = (windows.index - inside).reshape([n for part in shape for n in part])
    plane = _gather(line[PLANE_START:], dimension, inside)
    if own:
        plane[0] -= beyond * plane[2]
        plane[1] += beyond * plane[2]
    image = _gather(line[:PLANE_START], dimension, _wrapped(windows, length))
    if windows.mode == "zeros":
        image = image.masked_fill(beyond != 0, NEVER)
    united = torch.cat([image, plane]).amax(dimension + 1)
    return _stretch(united, windows.stride) if own else united


def _gather(line: Tensor, dimension: int, index: Tensor) -> Tensor:
    return line.index_select(dimension, index.flatten()).unflatten(dimension, tuple(index.shape))


def _wrapped(windows: Windows, length: int) -> Tensor:
    """Return the position that each index reads, after the padding's rule."""
    if windows.mode == "circular":
        return windows.index % length
    if windows.mode == "reflect":
        return length - 1 - (length - 1 - windows.index.abs()).abs()
    return windows.index.clamp(0, length - 1)


def _stretch(line: Tensor, stride: int) -> Tensor:
    # A channel of zeros sees nothing: its step is minus infinity, which times a stride of 0 would be NaN.
    line[STEP] = torch.where(torch.isfinite(line[STEP]), line[STEP] * stride, line[STEP])
    return line
