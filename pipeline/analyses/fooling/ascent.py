"""Fooling images: from noise, or from grey, up the slope of a class until the network is sure of it.

Nguyen, Yosinski and Clune, Deep Neural Networks are Easily Fooled, CVPR 2015 (section 3.5: direct ascent).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.fooling.pixels import WHITE, PixelNetwork, rounded


@dataclass(frozen=True)
class Ascent:
    """How to ascend: until a confidence, in so many steps at most, of a mean square of `stride` levels."""

    confidence: float
    steps: int
    stride: float


def ascend(
    network: PixelNetwork, start: NDArray[np.float32], output: NDArray[np.int32], how: Ascent
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Make images that a network is sure of.

    Parameters
    ----------
    network
        Asked about whole grey levels at every step, so that what is reached is what a file holds.
    start
        (n, H, W, C), 0 to 255.
    output
        (n,) of each image the output that it is to have.
    how
        When to stop.

    Returns
    -------
    picture, steps
        (n, H, W, C) uint8, and (n,) int64, the steps that were taken; all of them where that did not do.
    """
    moved, taken = start.astype(np.float32), np.zeros(len(start), np.int64)
    rows = np.arange(len(start))
    for step in range(how.steps + 1):
        slope, logits = network.slope(rounded(moved[rows]).astype(np.float32), output[rows])
        taken[rows] = step
        going = probability_of(logits, output[rows]) < how.confidence
        rows, slope = rows[going], slope[going]
        if step == how.steps or not len(rows):
            break
        size = np.sqrt(np.square(slope, dtype=np.float64).mean((1, 2, 3), keepdims=True))
        unit = slope / np.where(size > 0, size, 1)
        moved[rows] = np.clip(moved[rows] - how.stride * unit, 0, WHITE)
    return rounded(moved), taken


def probability_of(logits: NDArray[np.float32], output: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the softmax probability of an output for each image, (n,)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return powers[np.arange(len(output)), output] / powers.sum(1)
