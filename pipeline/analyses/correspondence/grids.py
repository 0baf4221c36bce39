"""Where a map's neurons look, vectors between them, and maps of plain pixels to hold layers against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.correspondence.warps import Warp, inside
from pipeline.numerics.geometry import Pair
from pipeline.numerics.upsampling import Centres

Float64 = NDArray[np.float64]
# Pixels of the reduced image, on its longer side, whose patches are compared.
CELLS = 64


@dataclass(frozen=True)
class Grid:
    """The neurons of a map, each at the middle of what it sees.

    Attributes
    ----------
    at : (h,) and (w,) float64
        y and x of the middles, pixels of the network's input, ascending.
    field
        Height and width of what a neuron sees.
    """

    at: Centres
    field: Pair

    @property
    def places(self) -> Float64:
        """(h·w, 2), the middles in the order of the map."""
        return np.stack(np.meshgrid(*self.at, indexing="ij"), -1).reshape(-1, 2)

    def vectors(self, values: NDArray[Any], points: Float64) -> Float64:
        """Interpolate a map (U, h, w) bilinearly at points (n, 2).

        Returns
        -------
        (n, U) float64
            Beyond the outermost middles the map goes on as it is there.
        """
        (top, bottom, down), (left, right, across) = self._around(points)
        upper = _mix(values[:, top, left], values[:, top, right], across)
        lower = _mix(values[:, bottom, left], values[:, bottom, right], across)
        return _mix(upper, lower, down).T

    def within(self, points: Float64, size: Pair, warp: Warp | None = None) -> NDArray[np.bool_]:
        """Return whether all that goes into the vectors at points (n, 2) lies in the image.

        Parameters
        ----------
        points
            Of the image, or of its warp.
        size
            Height and width of the image.
        warp
            Whose points they are; what it shows has to come from the image. None: the image itself.
        """
        ends = []
        for axis, (first, last, share) in enumerate(self._around(points)):
            middles, half, place = self.at[axis], self.field[axis] / 2, points[:, axis]
            low, high = np.where(share == 1, last, first), np.where(share == 0, first, last)
            ends.append((np.minimum(middles[low], place) - half, np.maximum(middles[high], place) + half))
        corners = np.stack([np.stack([y, x], -1) for y in ends[0] for x in ends[1]])
        seen = inside(corners, size)
        if warp is not None:
            seen &= inside(warp.origins(corners.reshape(-1, 2)).reshape(corners.shape), size)
        return np.asarray(seen.all(0))

    def _around(self, points: Float64) -> list[tuple[NDArray[np.intp], NDArray[np.intp], Float64]]:
        """Of y and of x the neurons before and after each point, and how far it is between them, 0 to 1."""
        found = []
        for axis, middles in enumerate(self.at):
            place = np.interp(points[:, axis], middles, np.arange(len(middles)))
            # A point that rounding moved off a neuron is that neuron's.
            place = np.where(np.abs(place - np.rint(place)) < 1e-9, np.rint(place), place)
            first = np.minimum(place.astype(np.intp), max(len(middles) - 2, 0))
            found.append((first, np.minimum(first + 1, len(middles) - 1), place - first))
        return found


def _mix(one: NDArray[Any], other: NDArray[Any], share: Float64) -> Float64:
    return one.astype(np.float64) * (1 - share) + other.astype(np.float64) * share


def patch_sides(shares: tuple[float, ...], size: Pair) -> list[int]:
    """Return the sides of patches in pixels, from shares of the longer side; ascending, each once."""
    step = _step(size)
    most = min(size) // step
    return sorted({min(max(round(share * max(size) / step), 1), most) * step for share in shares})


def patches(values: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], Grid]:
    """Return the patches of an image (C, H, W) as a map (C·k·k, h, w), and where they look.

    A large image is reduced first, to means of squares, so that its longer side has at most 64.

    Parameters
    ----------
    values
        What the network is given.
    side
        Of `patch_sides`.
    """
    channels, height, width = values.shape
    step = _step((height, width))
    rows, columns, cells = height // step, width // step, side // step
    cut = values[:, : rows * step, : columns * step]
    reduced = cut.reshape(channels, rows, step, columns, step).mean((2, 4), dtype=np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(reduced, (cells, cells), (1, 2))
    y, x = ((np.arange(count, dtype=np.float64) + cells / 2) * step for count in windows.shape[1:3])
    found = windows.transpose(0, 3, 4, 1, 2).reshape(-1, len(y), len(x)).astype(np.float32)
    return found, Grid((y, x), (side, side))


def _step(size: Pair) -> int:
    return -(-max(size) // CELLS)
