"""Resampling by exact area: each cell of the result is the mean of the pixels under it.

Enlarged, every pixel keeps its colour and its crisp edge, placed with sub-pixel accuracy; reduced, no pixel
is skipped. No cell takes anything from outside the region that is asked for.
Why not Pillow's: docs/decisions/0017-numerics-of-our-own.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A raster of `width` by `height` square cells laid over an image.

    Attributes
    ----------
    x0, y0
        Where its left upper corner lies, pixels of the image.
    scale
        Cells per pixel of the image.
    width, height
        Cells.
    """

    x0: float
    y0: float
    scale: float
    width: int
    height: int


def resample(rgb: UInt8, window: Window, region: Sequence[float]) -> tuple[UInt8, npt.NDArray[np.bool_]]:
    """Lay a window over an image and average the pixels of a region under each cell.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The image.
    window : Window
        The raster; may leave the image.
    region : sequence of four float
        x0, y0, x1, y1 in pixels of the image; only what is in it and in the image is used.

    Returns
    -------
    cells : (height, width, 3) uint8
        Means, rounded; 0 outside the region.
    inside : (height, width) bool
        Whether a cell's centre lies in the region and in the image.
    """
    height, width = rgb.shape[:2]
    y, y_inside = _edges(
        window.y0, window.scale, window.height, (max(region[1], 0.0), min(region[3], height))
    )
    x, x_inside = _edges(window.x0, window.scale, window.width, (max(region[0], 0.0), min(region[2], width)))
    cells = np.zeros((window.height, window.width, 3), np.uint8)
    inside = y_inside[:, None] & x_inside
    if inside.any():
        left, right = int(np.floor(x[0])), int(np.ceil(x[-1]))
        means = _means(_means(rgb[:, left:right], y), x - left, axis=1)
        cells[np.ix_(y_inside, x_inside)] = np.rint(means)[np.ix_(y_inside, x_inside)]
    return cells, inside


def fitting_scale(width: float, height: float, size: int) -> float:
    """Scale that makes the longer side of a rectangle `size` cells long."""
    return size / max(width, height)


def _edges(
    start: float, scale: float, count: int, region: tuple[float, float]
) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """(count + 1) cell edges cut to the region, and which cells have their centre in it."""
    edges = start + np.arange(count + 1) / scale
    centres = start + (np.arange(count) + 0.5) / scale
    inside = (centres >= region[0]) & (centres < region[1])
    return np.clip(edges, region[0], max(region)), inside


def _means(pixels: npt.NDArray[Any], edges: Float64, axis: int = 0) -> Float64:
    """Means between consecutive edges along an axis; 0 where two edges coincide."""
    first, last = int(np.floor(edges[0])), int(np.ceil(edges[-1]))
    pixels = np.moveaxis(pixels, axis, 0)[first:last]
    # Integers add up exactly, so that an area of one colour keeps it.
    dtype = np.int32 if pixels.dtype == np.uint8 else np.float64
    sums = np.zeros((len(pixels) + 1, *pixels.shape[1:]), dtype)
    np.cumsum(pixels, axis=0, dtype=dtype, out=sums[1:])
    below = np.minimum((edges - first).astype(np.intp), len(pixels) - 1)
    share = (edges - first - below).reshape(-1, *[1] * (pixels.ndim - 1))
    totals = sums[below] + share * pixels[below]
    lengths = np.diff(edges).reshape(-1, *[1] * (pixels.ndim - 1))
    means = np.divide(np.diff(totals, axis=0), lengths, out=np.zeros_like(totals[1:]), where=lengths > 0)
    return np.moveaxis(means, 0, axis)
