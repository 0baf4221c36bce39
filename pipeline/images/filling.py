"""What lies under the parts of an image that are covered or deleted."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pipeline.images.preprocess import Preprocessing

Fill: TypeAlias = Literal["zero", "mean", "blur", "noise"]
Float32: TypeAlias = NDArray[np.float32]


def filling(
    image: Float32, fill: Fill, window: int, preprocessing: Preprocessing, random: np.random.Generator
) -> Float32:
    """Return what lies under windows, as large as the image: a window shows its own part of it.

    Parameters
    ----------
    image : (C, H, W) float32
        Normalised.
    fill
        "zero": zero, which is the mean that normalising subtracts; "mean": the image's own mean colour;
        "blur": the image blurred by a Gaussian of half a window; "noise": pixels from 0 to 255, each
        colour and place on its own.
    window
        Side of a window, pixels.
    preprocessing
        How pixels were normalised.
    random
        Draws the noise.
    """
    if fill == "zero":
        return np.zeros_like(image)
    if fill == "mean":
        return np.broadcast_to(image.mean((1, 2), keepdims=True, dtype=np.float64), image.shape).astype(
            np.float32
        )
    if fill == "blur":
        return gaussian_filter(image, (0, window / 2, window / 2), mode="nearest")
    mean, std = (np.array(one)[:, None, None] for one in (preprocessing.mean, preprocessing.std))
    return ((random.random(image.shape) - mean) / std).astype(np.float32)
