"""What images are compared by besides their codes: their pixels, and their colours.

Both come from thumbnails, in which every image was decoded and averaged already.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Colours are looked up by the upper bits of red, green and blue.
BITS = 6
# From linear red, green and blue to X, Y, Z (IEC 61966-2-1), and the white D65 there.
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
# The colours of a screen lie within L* 0 to 100, and a* and b* within this on either side of grey.
_CHROMA = 110.0

UInt8 = NDArray[np.uint8]


def pixel_vectors(thumbnail: UInt8, size: NDArray[np.integer], side: int) -> NDArray[np.float64]:
    """Return images as the values of few pixels: each pulled to a square and averaged by area.

    Parameters
    ----------
    thumbnail
        (n, T, T, 3), each image in the middle of its square.
    size
        (n, 2) width and height of the image there, pixels, at least 1.
    side
        Of the small square, pixels.

    Returns
    -------
    (n, side * side * 3) float64
        sRGB values, 0 to 1.
    """
    made = np.empty((len(thumbnail), side, side, 3))
    for rows, image in _images(thumbnail, size):
        height, width = image.shape[1:3]
        narrow = np.tensordot(image / 255.0, _averages(width, side), axes=(2, 1))
        made[rows] = np.tensordot(narrow, _averages(height, side), axes=(1, 1)).transpose(0, 3, 2, 1)
    return made.reshape(len(thumbnail), -1)


def colour_vectors(thumbnail: UInt8, size: NDArray[np.integer], bins: int) -> NDArray[np.float64]:
    """Return the square roots of images' colour histograms, whose distances are Hellinger's times sqrt(2).

    Parameters
    ----------
    thumbnail, size
        As of `pixel_vectors`.
    bins
        Of each of L*, a* and b* (CIELAB, white D65); odd, so that grey lies in the middle of one.

    Returns
    -------
    (n, B) float64
        Each row of length 1; of the bins**3 bins those that a screen's colours fall into.
    """
    table, used = _bin_of_colour(bins)
    made = np.empty((len(thumbnail), used))
    for rows, image in _images(thumbnail, size):
        red, green, blue = np.moveaxis((image >> (8 - BITS)).astype(np.intp), -1, 0)
        found = table[(red << (2 * BITS)) | (green << BITS) | blue].reshape(len(image), -1)
        place = np.arange(len(image))[:, None] * used + found
        counts = np.bincount(place.ravel(), minlength=len(image) * used).reshape(-1, used)
        made[rows] = np.sqrt(counts / found.shape[1])
    return made


def lab(srgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return colours in CIELAB (CIE 1976, white D65): (…, 3) sRGB values 0 to 1 -> L*, a*, b*."""
    exact = np.asarray(srgb, np.float64)
    linear = np.where(exact <= 0.04045, exact / 12.92, ((exact + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(_XYZ).T / np.sum(_XYZ, axis=1)
    edge = 6 / 29
    x, y, z = np.moveaxis(
        np.where(xyz > edge**3, np.cbrt(xyz), xyz / (3 * edge**2) + 4 / 29), -1, 0
    )  # fmt: skip
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def _images(thumbnail: UInt8, size: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.intp], UInt8]]:
    """Yield the images without the ground beside them, those of one size together: rows, (m, h, w, 3)."""
    side = thumbnail.shape[1]
    for width, height in np.unique(size, axis=0).tolist():
        rows = np.flatnonzero((size == (width, height)).all(axis=1))
        top, left = (side - height) // 2, (side - width) // 2
        yield rows, thumbnail[rows, top : top + height, left : left + width]


@cache
def _averages(length: int, side: int) -> NDArray[np.float64]:
    """Return the weights (side, length) that average a line of pixels to another number of them."""
    edge, cell = np.arange(side + 1) * (length / side), np.arange(length)
    overlap = np.minimum(edge[1:, None], cell + 1) - np.maximum(edge[:-1, None], cell)
    return np.maximum(overlap, 0.0) * (side / length)


@cache
def _bin_of_colour(bins: int) -> tuple[NDArray[np.intp], int]:
    """Return the bin of each colour, by the upper bits of its values, and how many bins have one."""
    levels = ((np.arange(1 << BITS) << (8 - BITS)) + ((1 << (8 - BITS)) - 1) / 2) / 255
    colours = lab(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3))
    low, extent = np.array([0.0, -_CHROMA, -_CHROMA]), np.array([100.0, 2 * _CHROMA, 2 * _CHROMA])
    cell = np.clip((colours - low) / extent * bins, 0, bins - 1).astype(np.intp)
    used, place = np.unique(cell @ np.array([bins * bins, bins, 1]), return_inverse=True)
    return place.reshape(-1), len(used)
