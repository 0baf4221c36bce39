"""Rings, as SVG writes them: whole numbers, each point by its distance from the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.outlines.contours import simplified

Float64 = NDArray[np.float64]

FINENESS = 2  # numbers to a pixel
LONGEST = 1500  # letters: nine outlines are 13 kB
_TOLERANCES = (0.5, 1.0, 2.0)  # pixels that a ring may move, as much as it takes


def rings_path(rings: Sequence[Float64]) -> str:
    """Write rings as an SVG path.

    Parameters
    ----------
    rings : sequence of (n, 2) float64
        x, y in pixels, the last point equal to the first.

    Returns
    -------
    str
        The path's commands, in halves of a pixel. Where it would be long its rings are simplified further; of
        very many rings the smallest are left out.
    """
    path = ""
    for tolerance in _TOLERANCES:
        parts = [_ring(simplified(ring, tolerance)) for ring in sorted(rings, key=_extent, reverse=True)]
        path = "".join(parts)
        if len(path) <= LONGEST:
            return path
    kept = np.cumsum([len(part) for part in parts]) <= LONGEST
    return "".join(part for part, stays in zip(parts, kept, strict=True) if stays) or parts[0]


def _extent(ring: Float64) -> float:
    width, height = np.ptp(ring, axis=0)
    return float(width * height)


def _ring(ring: Float64) -> str:
    """Write a ring; nothing of one that is less than a triangle of half a pixel."""
    points = np.rint(ring * FINENESS).astype(int)
    steps = np.diff(points, axis=0)
    steps = steps[steps.any(1)]
    if len(steps) < 3:
        return ""
    # The last step leads back to the start, as closing the ring does.
    return f"M{_numbers(points[:1])}l{_numbers(steps[:-1])}z"


def _numbers(values: NDArray[np.int_]) -> str:
    """Write numbers, a minus sign being enough to tell one from the one before."""
    return " ".join(map(str, values.ravel().tolist())).replace(" -", "-")
