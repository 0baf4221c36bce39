"""Where in its image a unit looked: from positions in a layer's map to boxes in the original pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import to_image
from pipeline.numerics.geometry import ReceptiveField

Array = npt.NDArray[Any]
Box = tuple[float, float, float, float]


def input_boxes(
    positions: Array, field: ReceptiveField, input_size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Boxes of the network input that the positions of a layer's map cover.

    Parameters
    ----------
    positions : (..., 2) uint16
        y and x in the map.
    field : ReceptiveField
        With status "global" or "unknown" the box is the whole network input.
    input_size : tuple of int
        Height and width of the network input, pixels.

    Returns
    -------
    (..., 4) float64
        x0, y0, x1, y1 in pixels of the network input, end exclusive; may leave it.

    References
    ----------
    Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks, Distill 2019.
    """
    if field.is_whole:
        whole = (0.0, 0.0, float(input_size[1]), float(input_size[0]))
        return np.broadcast_to(whole, (*positions.shape[:-1], 4)).copy()
    start = np.asarray(field.start, np.float64) + positions * np.asarray(field.stride, np.float64)
    end = start + np.asarray(field.size, np.float64)
    return np.concatenate([start[..., ::-1], end[..., ::-1]], axis=-1)


def image_boxes(
    boxes: Array, width: Array, height: Array, preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Map boxes of the network input into their images, each of its own size.

    Parameters
    ----------
    boxes : (..., 4)
        x0, y0, x1, y1 in pixels of the network input.
    width, height : (...) int
        Size of each box's image (orientation applied), pixels.
    preprocessing : Preprocessing
        How the images became network inputs.

    Returns
    -------
    (..., 4) float32
        x0, y0, x1, y1 in pixels of the original images, unclipped.
    """
    flat = np.asarray(boxes, np.float64).reshape(-1, 4)
    sizes, which = np.unique(np.stack([width, height], -1).reshape(-1, 2), axis=0, return_inverse=True)
    mapped = np.empty(flat.shape, np.float32)
    order = np.argsort(which, kind="stable")
    # One call for all images of a size: photographs share few sizes, and a call a box would cost seconds.
    for size, rows in zip(sizes, np.split(order, np.cumsum(np.bincount(which))[:-1]), strict=True):
        mapped[rows] = to_image(flat[rows], int(size[0]), int(size[1]), preprocessing)
    return mapped.reshape(boxes.shape)


def shown_box(box: Sequence[float] | Array, view: Box) -> Box:
    """Return what a patch shows of a box.

    A field that is larger than the image always leaves it: most of its patch would be nothing, and what is
    left too small to be looked at.

    Parameters
    ----------
    box, view : sequence of four float
        x0, y0, x1, y1 in pixels: the box, which may leave the view, and what the network saw.

    Returns
    -------
    tuple of float
        x0, y0, x1, y1: of each axis in which the box is longer than the view that of the view, else that of
        the box.
    """
    x0, y0, x1, y1 = (float(edge) for edge in box)
    if x1 - x0 > view[2] - view[0]:
        x0, x1 = view[0], view[2]
    if y1 - y0 > view[3] - view[1]:
        y0, y1 = view[1], view[3]
    return x0, y0, x1, y1
