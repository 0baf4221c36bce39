"""The way back from the network input to the original image: `to_image` for boxes, `view` for all of it.

`filled` says where in the input the image lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.images.preprocess import Preprocessing, placement


def to_image(
    boxes: npt.NDArray[Any], width: int, height: int, preprocessing: Preprocessing
) -> npt.NDArray[np.float64]:
    """Map boxes of the network input back into the original image.

    Parameters
    ----------
    boxes : (..., 4)
        x0, y0, x1, y1 in pixels of the network input, end exclusive; may leave it.
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    (..., 4) float64
        x0, y0, x1, y1 in pixels of the original image, unclipped.
    """
    place = placement(width, height, preprocessing)
    offset = np.array([place.offset[1], place.offset[0]] * 2, np.float64)
    scale = np.array([place.scale[1], place.scale[0]] * 2, np.float64)
    return (np.asarray(boxes, np.float64) + offset) * scale


def view(width: int, height: int, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """Return the part of the original image that the network saw.

    Parameters
    ----------
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    tuple of float
        x0, y0, x1, y1 in pixels of the original image, within it.
    """
    rows, columns = preprocessing.input_size
    x0, y0, x1, y1 = to_image(np.array([0, 0, columns, rows]), width, height, preprocessing).tolist()
    return max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))


def filled(width: int, height: int, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """Return the part of the network input that the image fills; beside it, where it is smaller, is nothing.

    Parameters
    ----------
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    tuple of float
        x0, y0, x1, y1 in pixels of the network input, within it: `view` there.
    """
    place, (rows, columns) = placement(width, height, preprocessing), preprocessing.input_size
    top, left = (max(-start, 0) for start in place.offset)
    bottom, right = (
        min(length - start, most)
        for length, start, most in zip(place.resized, place.offset, (rows, columns), strict=True)
    )
    return float(left), float(top), float(right), float(bottom)
