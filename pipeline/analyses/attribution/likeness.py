"""How alike two maps of an image are, and which of its pixels lie in a box."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.numerics.geometry import Pair

Floats = NDArray[np.floating]


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation of two maps' values, -1 to 1.

    With a map that is the same everywhere no other goes: 0. NaN where both are, or a value is not finite.
    """
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("nan")
    flat = [float(np.ptp(values)) == 0 for values in (one, other)]
    if any(flat):
        return float("nan") if all(flat) else 0.0
    first, second = (rankdata(values.ravel()) - (values.size + 1) / 2 for values in (one, other))
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def pixels_inside(size: Pair, boxes: Floats) -> NDArray[np.bool_]:
    """Tell of each pixel, (H, W), whether its middle lies in one of boxes (B, 4), x0, y0, x1, y1."""
    y, x = (np.arange(length) + 0.5 for length in size)
    inside = np.zeros(size, np.bool_)
    for left, top, right, bottom in boxes:
        inside |= np.outer((top <= y) & (y < bottom), (left <= x) & (x < right))
    return inside
