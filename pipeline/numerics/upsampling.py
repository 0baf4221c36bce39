"""A layer's map over the network's input: bilinear between the centres of what its neurons see.

- `centres`: where in the network's input the neurons of a layer look
- `upsample`: a map between them
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.numerics.geometry import Pair, ReceptiveField

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
Centres: TypeAlias = tuple[Float64, Float64]


def centres(field: ReceptiveField, map_size: Pair, input_size: Pair) -> Centres:
    """Return the middle of what the neurons of each row and column of a map see.

    Parameters
    ----------
    field : ReceptiveField
        Where every neuron sees, or may see, the whole image, the centres are spread evenly over it.
    map_size, input_size : pair of int
        Height and width of the map, and of the network's input in pixels.

    Returns
    -------
    pair of (h,) and (w,) float64
        y and x in pixels of the network's input; the first pixel reaches from 0 to 1.
    """
    y, x = (_line(*axis) for axis in zip(_axes(field, map_size, input_size), map_size, strict=True))
    return y, x


def _axes(field: ReceptiveField, map_size: Pair, input_size: Pair) -> list[tuple[float, float]]:
    """First centre and step of each axis."""
    if field.is_whole:
        steps = [pixels / count for pixels, count in zip(input_size, map_size, strict=True)]
        return [(step / 2, step) for step in steps]
    parts = zip(field.start, field.size, field.stride, strict=True)
    return [(start + size / 2, stride) for start, size, stride in parts]


def _line(axis: tuple[float, float], count: int) -> Float64:
    return axis[0] + axis[1] * np.arange(count, dtype=np.float64)


def upsample(values: Array, at: Centres, y: Float64, x: Float64) -> Float64:
    """Interpolate a map bilinearly between its neurons' centres.

    Parameters
    ----------
    values : (h, w)
        The map.
    at : Centres
        Of its rows and columns, ascending.
    y, x : (m,) and (n,) float64
        Where it is wanted, pixels of the network's input.

    Returns
    -------
    (m, n) float64
        Beyond the outermost centres it goes on as it is there.
    """
    return _weights(at[0], y) @ np.asarray(values, np.float64) @ _weights(at[1], x).T


def _weights(at: Float64, wanted: Float64) -> Float64:
    """(m, h), how much of each row goes into each wanted place."""
    if len(at) == 1:
        return np.ones((len(wanted), 1))
    place = np.interp(wanted, at, np.arange(len(at)))
    below = np.minimum(place.astype(np.intp), len(at) - 2)
    weights = np.zeros((len(wanted), len(at)))
    rows = np.arange(len(wanted))
    weights[rows, below] = 1 - (place - below)
    weights[rows, below + 1] = place - below
    return weights
