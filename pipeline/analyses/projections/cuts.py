"""Signals cut to what a neuron saw, and how alike two of them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.topk.boxes import shown_box

Maps = NDArray[np.float32]
Box = tuple[float, float, float, float]
# Fewer pixels than this have no rank correlation to speak of.
LEAST = 9


@dataclass(frozen=True)
class Cut:
    """A signal within a box of the network's input.

    Attributes
    ----------
    values : (h, w, C) float32
        0 beside the image.
    inside : (h, w) bool
        Whether a pixel belongs to the image.
    offset
        y, x of its corner in the box: 0 but along an axis in which the box is longer than the image.
    """

    values: Maps
    inside: NDArray[np.bool_]
    offset: tuple[int, int] = (0, 0)


def cut(signal: Maps, box: Sequence[float] | NDArray[Any], seen: Box) -> Cut:
    """Cut a signal to a box, or to the image along an axis in which the box is longer, as patches are.

    Parameters
    ----------
    signal : (C, H, W) float32
        Of the network's input.
    box, seen : sequence of four float
        x0, y0, x1, y1 in pixels of the network's input: what the neuron sees, which may leave it, and where
        the image lies in it.
    """
    x0, y0, x1, y1 = (round(edge) for edge in shown_box(box, seen))
    left, top, right, bottom = (round(edge) for edge in seen)
    values = np.zeros((y1 - y0, x1 - x0, len(signal)), np.float32)
    inside = np.zeros(values.shape[:2], np.bool_)
    rows = slice(max(y0, top), max(y0, top, min(y1, bottom)))
    columns = slice(max(x0, left), max(x0, left, min(x1, right)))
    here = slice(rows.start - y0, rows.stop - y0), slice(columns.start - x0, columns.stop - x0)
    values[here], inside[here] = signal[:, rows, columns].transpose(1, 2, 0), True
    return Cut(values, inside, (y0 - round(box[1]), x0 - round(box[0])))


def fitted(values: Maps, side: int) -> Maps:
    """Bring a cut (h, w, C) that is longer than `side` down to it, by the means of the areas."""
    height, width = values.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return values
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = F.interpolate(torch.as_tensor(values).permute(2, 0, 1)[None], size, mode="area")
    return small[0].permute(1, 2, 0).numpy()


def likeness(first: Cut, second: Cut) -> float:
    """Return how alike two cuts are: Spearman's correlation of their absolute values.

    Boxes are laid over each other, so that two neurons are compared by what each sees about itself, wherever
    in their images they are. Absolute values are added up over the colours, and pixels that do not belong to
    both images are left out. A rank correlation of absolute values is what Adebayo et al. (Sanity checks for
    saliency maps, NeurIPS 2018) compare attributions by.

    Returns
    -------
    float
        -1 to 1; NaN where one of them is the same everywhere, or too few pixels belong to both images.
    """
    parts = [_shared(one, other) for one, other in ((first, second), (second, first))]
    both = first.inside[parts[0]] & second.inside[parts[1]]
    if np.count_nonzero(both) < LEAST:
        return float("nan")
    pairs = zip((first, second), parts, strict=True)
    ranks = [rankdata(np.abs(one.values[part][both]).sum(-1)) for one, part in pairs]
    centred = [one - one.mean() for one in ranks]
    norm = np.sqrt(np.prod([one @ one for one in centred]))
    return float(centred[0] @ centred[1] / norm) if norm else float("nan")


def _shared(one: Cut, other: Cut) -> tuple[slice, slice]:
    """Return the rows and columns of a cut that lie on another one, their boxes laid over each other."""
    rows, columns = (
        slice(max(start, begin) - start, max(min(start + length, begin + most), start, begin) - start)
        for start, begin, length, most in zip(
            one.offset, other.offset, one.inside.shape, other.inside.shape, strict=True
        )
    )
    return rows, columns
