"""Images of ``fooling.h5`` that were made from nothing: up the slope of the network, or evolved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENCODINGS = ("direct", "cppn")

Integers = NDArray[np.int64]
Outputs = NDArray[np.int32]
Shares = NDArray[np.float32]
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Ascended:
    """T images that were made for outputs.

    Attributes
    ----------
    target : (T,) int32
    flat : (T,) int8
        1 where it began as flat grey, 0 as noise.
    picture : (T, H, W, C) uint8
    steps : (T,) int64
    predicted, confidence : (T,) int32, float32
        What the network says, and the softmax probability of the target.
    """

    target: Outputs
    flat: NDArray[np.int8]
    picture: Pictures
    steps: Integers
    predicted: Outputs
    confidence: Shares


@dataclass(frozen=True)
class Evolved:
    """The elite of each of T outputs: of all images that were evolved the one that the network is surest of.

    Attributes
    ----------
    target : (T,) int32
        Ascending.
    picture : (T, H, W, C) uint8
    since : (T,) int64
        The generation in which it was born; 0: drawn.
    predicted, confidence : (T,) int32, float32
        What the network says, and the softmax probability of the target.
    generation : (R,) int64
        Ascending; the first is 0, the last is the last one.
    course : (R, T) float32
        The confidences after these.
    offspring : (1,) int64
        Of a generation.
    """

    target: Outputs
    picture: Pictures
    since: Integers
    predicted: Outputs
    confidence: Shares
    generation: Integers
    course: Shares
    offspring: Integers
