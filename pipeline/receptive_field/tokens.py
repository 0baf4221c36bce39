"""What transformers do to fields: maps become rows of tokens, and attention mixes them.

A field of tokens has one dimension for both axes of the map, `axes == (a, a)`.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.numerics.geometry import EXACT, GLOBAL
from pipeline.receptive_field.geometry import (
    ROWS,
    Field,
    Windows,
    like,
    look,
    mix,
    permute,
    sliding,
    squash,
)
from pipeline.receptive_field.windows import Call

# Added to an attention's scores, less than this hides a token.
HIDING = -50.0


def reshape(call: Call) -> Field | None:
    """Return the field of a reshaped tensor; None where rows and columns are cut or taken apart otherwise.

    Maps may become tokens and tokens a map again; what lies before and behind may be divided at will. A
    vector sees everything.
    """
    field, shape = call.field, tuple(call.shape)
    if len(shape) == 2:
        return Field((ROWS, *shape[1:]), GLOBAL) if shape[0] == 1 else None
    core = sorted({axis for axis in field.axes if axis is not None})
    if field.batch or None in field.axes or core != list(range(core[0], core[-1] + 1)):
        return None
    found = next(_places(field.shape, core, shape), None)
    if found is None:
        return None
    full, axes = (ROWS, *shape[1:]), (found[0], found[-1])
    y, x = (_recast(line, core, found, full) for line in field.lines)
    if axes[0] != axes[1] and not (_constant(y, axes[1]) and _constant(x, axes[0])):
        return None
    return Field(full, EXACT, y, x, axes)


def _places(old: Sequence[int], core: list[int], new: Sequence[int]) -> Iterator[list[int]]:
    """Yield the dimensions that may hold what the core held: as it was first, then joined or divided."""
    size = prod(old[core[0] : core[-1] + 1])
    before, after = prod(old[1 : core[0]]), prod(old[core[-1] + 1 :])
    for width in sorted((1, 2), key=lambda width: width != len(core)):
        for first in range(1, len(new) - width + 1):
            held = tuple(new[first : first + width])
            moved = len(core) == width == 2 and held != tuple(old[core[0] : core[-1] + 1])
            fits = (prod(new[1:first]), prod(held), prod(new[first + width :])) == (before, size, after)
            if fits and not moved:
                yield list(range(first, first + width))


def _recast(line: Tensor, core: list[int], found: list[int], full: Sequence[int]) -> Tensor:
    small = squash(line)
    if any(small.shape[d] > 1 for d in range(1, line.ndim) if d not in core):
        return line.reshape(full)
    sizes = [line.shape[d] if d in core else 1 for d in range(1, line.ndim)]
    block = small.expand(ROWS, *sizes)
    return block.reshape(ROWS, *[full[d] if d in found else 1 for d in range(1, len(full))]).expand(full)


def _constant(line: Tensor, dimension: int) -> bool:
    return bool((line == line.narrow(dimension, 0, 1)).all())


def attention(call: Call) -> Any:
    """Return the fields of attention's results: everything, where it runs over all tokens; else None."""
    module: Any = call.module
    inner = getattr(module, "self_attn", module)
    if isinstance(module, nn.TransformerEncoder):
        inner = module.layers[0].self_attn
    dimension = 1 if inner.batch_first else 0
    given = [*call.args, *call.kwargs.values()]
    fields = [item for item in given if isinstance(item, Field)]
    key = fields[1] if isinstance(module, nn.MultiheadAttention) and len(fields) > 1 else fields[0]
    hidden = any(isinstance(item, Tensor) for item in given) or call.kwargs.get("is_causal")
    if hidden or key.axes != (dimension, dimension) or key.batch != 1 - dimension:
        return None
    return like(call.result, GLOBAL)


def dot_product_attention(call: Call) -> Any:
    """Return the field of `scaled_dot_product_attention`'s result, None where tokens are hidden."""
    key, mask = call.get(1, "key"), call.get(3, "attn_mask")
    last = len(call.shape) - 2
    hidden = mask is not None and (not isinstance(mask, Tensor) or hides(mask))
    if hidden or call.get(5, "is_causal", False) or not isinstance(key, Field) or key.axes != (last, last):
        return None
    return like(call.result, GLOBAL)


def hides(mask: Tensor) -> bool:
    """Tell whether a constant that is added to an attention's scores, or chosen by, hides any token."""
    return not mask.is_meta and not bool(mask.all() if mask.dtype == torch.bool else (mask > HIDING).all())


def product(call: Call) -> Field | None:
    """Return the field of a product of matrices, None where it sums over rows or columns alone."""
    ranks = [item.ndim if isinstance(item, Tensor) else len(item.shape) for item in call.args[:2]]
    if ranks[0] != ranks[1] or ranks[0] < 3:
        return None
    lead = "abcdefg"[: ranks[0] - 2]
    return _contract(call.args[:2], [f"{lead}xy", f"{lead}yz"], f"{lead}xz", call.shape)


def einsum(call: Call) -> Field | None:
    """Return the field of a sum of products in Einstein's notation, None where it is not followed."""
    equation = call.args[0].replace(" ", "") if isinstance(call.args[0], str) else ""
    terms, arrow, out = equation.partition("->")
    operands = call.args[1:] if not isinstance(call.args[1], list | tuple) else call.args[1]
    if not arrow or "." in equation:
        return None
    return _contract(operands, terms.split(","), out, call.shape)


def _contract(operands: Sequence[Any], terms: Sequence[str], out: str, shape: Sequence[int]) -> Field | None:
    """Return what a sum of products sees; every dimension has a letter, and the result those of `out`."""
    full, lines, axes = (ROWS, *shape[1:]), [], ""
    for field, letters in zip(operands, terms, strict=True):
        if not isinstance(field, Field):
            continue
        if field.batch or None in field.axes or letters[0] != out[0]:
            return None
        own = "".join(letters[axis] for axis in field.axes if axis is not None)
        if not set(own) & set(out):
            return Field(full, GLOBAL)
        tokens = own[0] == own[1]
        if not set(own) <= set(out) or (axes and not tokens and axes != own):
            return None
        axes = own
        lines.append([_arranged(line, letters, out) for line in field.lines])
    y, x = (_united(parts).expand(full) for parts in zip(*lines, strict=True))
    return Field(full, EXACT, y, x, (out.index(axes[0]), out.index(axes[1])))


def _arranged(line: Tensor, letters: str, out: str) -> Tensor:
    """Return a line with its dimensions in the order of `out`, 1 where it lacks one; the others united."""
    small = squash(line)
    gone = [d for d, letter in enumerate(letters) if letter not in out]
    small = small.amax(gone) if gone else small
    kept = [letter for letter in letters if letter in out]
    present = [letter for letter in out if letter in kept]
    small = small.permute([kept.index(letter) for letter in present])
    return small.reshape([small.shape[present.index(item)] if item in present else 1 for item in out])


def _united(parts: Sequence[Tensor]) -> Tensor:
    whole = parts[0]
    for part in parts[1:]:
        whole = torch.maximum(whole, part)
    return whole


def shifted_windows(call: Call) -> Field | None:
    """Return the field of torchvision's attention within (shifted) windows, channels last."""
    field = call.field
    if field.axes != (1, 2) or len(field.shape) != 4:
        return None
    sizes, shifts = call.get(4, "window_size"), call.get(6, "shift_size")
    made = [_window(*given) for given in zip(field.shape[1:3], sizes, shifts, strict=True)]
    return _channels_last(field, (made[0], made[1]), call.shape)


def _window(length: int, size: int, shift: int) -> Windows:
    """Return who is looked at along one axis: those of the same window that come from the same side."""
    padded = -(-length // size) * size
    shift = 0 if size >= padded else shift
    own = torch.arange(length)
    rolled = (own - shift) % padded
    members = (rolled // size * size)[:, None] + torch.arange(size)
    alike = (members >= padded - shift) == (rolled >= padded - shift)[:, None]
    return Windows(torch.where(alike, (members + shift) % padded, own[:, None]), 1)


def merged_patches(call: Call) -> Field | None:
    """Return the field of torchvision's four neighbours joined to one, channels last."""
    field = call.field
    if field.axes != (1, 2) or len(field.shape) != 4:
        return None
    made = [sliding(2, 2, 0, 1, count) for count in call.shape[1:3]]
    return _channels_last(field, (made[0], made[1]), call.shape)


def _channels_last(field: Field, windows: tuple[Windows, Windows], shape: Sequence[int]) -> Field:
    n, h, w, c = shape
    first = permute(field, (0, 3, 1, 2))
    return permute(look(mix(first, 1, (n, c, h, w)), windows, (n, c, h, w)), (0, 2, 3, 1))
