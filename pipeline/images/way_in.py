"""The way of boxes from the original image into the network's input; `way_back` leads back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.images.preprocess import Preprocessing, placement


def to_input(
    boxes: npt.NDArray[Any], width: int, height: int, preprocessing: Preprocessing
) -> npt.NDArray[np.float64]:
    """Map boxes of an original image into the network's input, where they are cut to what it shows.

    Parameters
    ----------
    boxes : (B, 4)
        x0, y0, x1, y1 in pixels of the original image, orientation applied, end exclusive.
    width, height : int
        Its size, pixels.
    preprocessing : Preprocessing

    Returns
    -------
    (b, 4) float64
        x0, y0, x1, y1 in pixels of the network's input, those of which anything is seen.
    """
    place = placement(width, height, preprocessing)
    offset = np.array([place.offset[1], place.offset[0]] * 2, np.float64)
    scale = np.array([place.scale[1], place.scale[0]] * 2, np.float64)
    rows, columns = preprocessing.input_size
    found = np.clip(np.asarray(boxes, np.float64) / scale - offset, 0, [columns, rows, columns, rows])
    return found[(found[:, 0] < found[:, 2]) & (found[:, 1] < found[:, 3])]
