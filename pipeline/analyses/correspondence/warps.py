"""Known warps of an image, and points that are seen before and after.

Places are (y, x) in pixels of the network's input; the first pixel reaches from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from pipeline.numerics.geometry import Pair

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Ranges:
    """What warps are drawn from, each evenly.

    Attributes
    ----------
    rotation
        Degrees, either way.
    scale
        From, to; even in the logarithm.
    translation
        Of the image's height and width, either way.
    """

    rotation: float
    scale: tuple[float, float]
    translation: float


@dataclass(frozen=True)
class Warp:
    """An affine map of places: `matrix` (2, 3) takes (y, x, 1) of the image to (y, x) of its warp."""

    matrix: Float64

    def places(self, points: Float64) -> Float64:
        """Return where points (n, 2) of the image lie in the warp."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]

    def origins(self, points: Float64) -> Float64:
        """Return where points (n, 2) of the warp come from."""
        return np.asarray(np.linalg.solve(self.matrix[:, :2], (points - self.matrix[:, 2]).T).T, np.float64)

    def picture(self, picture: NDArray[np.uint8], fill: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Warp a picture (H, W, C), bilinearly; `fill` (C,) is what comes from outside of it."""
        height, width = picture.shape[:2]
        places = np.moveaxis(np.mgrid[:height, :width], 0, -1).reshape(-1, 2) + 0.5
        origins = self.origins(places)
        seen = inside(origins, (height, width))
        values = [
            map_coordinates(colour.astype(np.float64), (origins - 0.5).T, order=1, mode="nearest")
            for colour in np.moveaxis(picture, 2, 0)
        ]
        warped = np.rint(np.stack(values, axis=-1)).clip(0, 255).astype(np.uint8)
        warped[~seen] = fill
        return warped.reshape(picture.shape)


def inside(points: Float64, size: Pair) -> NDArray[np.bool_]:
    """Return which points (…, 2) lie in an image of a height and width."""
    # The thousandth part of a millionth of a pixel is what rounding moves a point.
    return np.asarray(((points >= -1e-9) & (points <= np.array(size) + 1e-9)).all(-1))


def draw_warp(ranges: Ranges, size: Pair, rng: np.random.Generator) -> Warp:
    """Draw a warp about the middle of an image of height and width `size`."""
    angle = np.deg2rad(rng.uniform(-ranges.rotation, ranges.rotation))
    scale = np.exp(rng.uniform(*np.log(ranges.scale)))
    shift = rng.uniform(-ranges.translation, ranges.translation, 2) * size
    turned = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(size) / 2
    return Warp(np.column_stack([turned, middle + shift - turned @ middle]))


def draw_points(warp: Warp, size: Pair, count: int, rng: np.random.Generator) -> Float64:
    """Draw points (count, 2), evenly from those of the image that the warp shows too."""
    found = np.empty((0, 2))
    while len(found) < count:
        drawn = rng.uniform(0, 1, (count, 2)) * size
        found = np.concatenate([found, drawn[inside(warp.places(drawn), size)]])
    return found[:count]
