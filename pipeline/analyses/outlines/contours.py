"""From a unit's map on an image to an outline: bilinear between the fields' centres, cut at a level.

- `outline`: the rings around what lies above a level
- `simplified`: the same rings with fewer points
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from contourpy import FillType, contour_generator

from pipeline.numerics.geometry import Pair
from pipeline.numerics.upsampling import Centres, upsample

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]

CELLS = 96  # along the input's longer side, between which a map is interpolated


def outline(values: Array, level: float, at: Centres, input_size: Pair) -> list[Float64]:
    """Return rings around the places of the network's input at which a map lies above a level.

    Parameters
    ----------
    values : (h, w)
        A unit's map on an image.
    level : float
        What it must exceed.
    at : Centres
        Of its rows and columns.
    input_size : pair of int
        Height and width of the network's input, pixels.

    Returns
    -------
    list of (n, 2) float64
        x, y in pixels of the network's input, the last point equal to the first; a hole is a ring of its own
        (fill by the rule "evenodd"). Empty where nothing lies above.
    """
    if not np.max(values) > level:
        return []
    y, x = (_nodes(side, max(input_size), line) for side, line in zip(input_size, at, strict=True))
    generator = contour_generator(
        x, y, upsample(values, at, y, x), name="serial", fill_type=FillType.OuterOffset
    )
    polygons, offsets = generator.filled(level, np.inf)[:2]
    return [
        ring
        for points, ends in zip(polygons, offsets, strict=True)
        for ring in np.split(np.asarray(points, np.float64), np.asarray(ends)[1:-1])
    ]


def _nodes(side: int, longer: int, at: Float64) -> Float64:
    """Return where a side of the input is sampled: evenly, and at the centres, where the map's peaks are."""
    even = np.linspace(0, side, max(2, round(CELLS * side / longer)) + 1)
    return np.union1d(even, at[(at > 0) & (at < side)])


def simplified(ring: Float64, tolerance: float) -> Float64:
    """Leave out points of a closed ring that lie nearly between their neighbours (Douglas and Peucker, 1973).

    Parameters
    ----------
    ring : (n, 2) float64
        The last point equal to the first.
    tolerance : float
        How far the ring may move, in its own units.

    Returns
    -------
    (m, 2) float64
        Closed likewise; 2 points or fewer lie between first and last where nothing but a line is left.
    """
    # A closed ring has no ends to begin from: its two most distant points are.
    far = int(np.argmax(((ring - ring[0]) ** 2).sum(1)))
    kept = {0, far, len(ring) - 1}
    parts = [(0, far), (far, len(ring) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        distances = _distances(ring[first + 1 : last], ring[first], ring[last])
        if distances.max() > tolerance:
            middle = first + 1 + int(distances.argmax())
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    return ring[sorted(kept)]


def _distances(points: Float64, start: Float64, end: Float64) -> Float64:
    """(n,), how far points lie from the line between two others, or from them where they coincide."""
    along = end - start
    length = float(np.hypot(*along))
    if not length:
        return np.hypot(*(points - start).T)
    away = points - start
    return np.abs(away[:, 0] * along[1] - away[:, 1] * along[0]) / length
