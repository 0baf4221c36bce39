"""Thumbnails: each image whole, in the middle of a small square; and what is measured of it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.images.attributes import PixelAttributes, measure
from pipeline.images.decoding import ImageError
from pipeline.images.resampling import Window, fitting_scale, resample
from pipeline.parallel.threads import ordered

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Thumbnail:
    """An image in a square of side T.

    Attributes
    ----------
    pixels
        (T, T, 3) uint8; the image begins `(T - width) // 2` from the left and `(T - height) // 2` from the
        top, beside it 0.
    width, height
        Of the image in the square, pixels; the longer one is T. Both 0 if it could not be read.
    problem
        Why it could not be read; empty if it could.
    attributes
        What the whole image looks like; None if it could not be read.
    file_bytes
        Of its file; 0 if it could not be read.
    """

    pixels: UInt8
    width: int
    height: int
    problem: str = ""
    attributes: PixelAttributes | None = None
    file_bytes: int = 0


def thumbnail(rgb: UInt8, size: int) -> Thumbnail:
    """Fit an image into a square, enlarged if it is smaller.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The image.
    size : int
        Side of the square, pixels.

    Returns
    -------
    Thumbnail
        Resampled by area (`pipeline.images.resampling`); the shorter side is at least one pixel.
    """
    height, width = rgb.shape[:2]
    scale = fitting_scale(width, height, size)
    x0, columns = _place(width, scale, size)
    y0, rows = _place(height, scale, size)
    pixels, _ = resample(rgb, Window(x0, y0, scale, size, size), (0, 0, width, height))
    return Thumbnail(pixels, columns, rows)


def thumbnails(
    image_ids: Iterable[int], read: Callable[[int], tuple[UInt8, int]], size: int, *, threads: int
) -> Iterator[Thumbnail]:
    """Decode images in threads, measure them, and yield their thumbnails in order.

    Parameters
    ----------
    image_ids : iterable of int
        Rows of the manifest.
    read : callable
        The original image of an image id and the bytes of its file, or an `ImageError`; is called from
        several threads.
    size : int
        Side of the squares, pixels.
    threads : int
        Images that are worked on at once; changes no result.

    Yields
    ------
    Thumbnail
        One an image; all 0, with the reason, for one that cannot be read.
    """

    def make(image_id: int) -> Thumbnail:
        try:
            rgb, file_bytes = read(image_id)
        except ImageError as error:
            return Thumbnail(np.zeros((size, size, 3), np.uint8), 0, 0, str(error))
        return replace(thumbnail(rgb, size), attributes=measure(rgb), file_bytes=file_bytes)

    return ordered(make, image_ids, threads=threads)


def _place(length: int, scale: float, size: int) -> tuple[float, int]:
    """Where the square begins, in pixels of the image, and how many of its cells the image takes."""
    cells = max(1, round(length * scale))
    offset = (size - cells) // 2
    return length / 2 - (offset + cells / 2) / scale, cells
