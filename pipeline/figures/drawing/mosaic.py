"""Many thumbnails on one sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

UInt8 = NDArray[np.uint8]


def scale(
    thumbnail: UInt8, content: tuple[int, int], size: int, *, margin: int = 0, square: bool = False
) -> UInt8:
    """Bring the image in a thumbnail to a tile of another size.

    Parameters
    ----------
    thumbnail
        (T, T, 3); the image lies in its middle.
    content
        Width and height of the image there, pixels.
    size
        Side of the tile, pixels.
    margin
        Pixels of the side that stay free, so that neighbours do not run into each other.
    square
        Whether what is beyond the middle square of the image is cut off, so that the tile is full.

    Returns
    -------
    (size, size, 4) uint8
        RGB and opacity: transparent beside the image. Pixels are repeated where it grows by a whole number,
        else resampled.
    """
    width, height = (max(int(side), 1) for side in content)
    side, inner = len(thumbnail), size - margin
    if square:
        width = height = min(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    image = Image.fromarray(thumbnail[top : top + height, left : left + width])
    full = width if square else side
    new = (max(1, round(width * inner / full)), max(1, round(height * inner / full)))
    method = Image.Resampling.NEAREST if inner % full == 0 else Image.Resampling.LANCZOS
    tile = np.zeros((size, size, 4), np.uint8)
    x, y = (size - new[0]) // 2, (size - new[1]) // 2
    tile[y : y + new[1], x : x + new[0], :3] = np.asarray(
        image if new == image.size else image.resize(new, method)
    )
    tile[y : y + new[1], x : x + new[0], 3] = 255
    return tile


def lay_out(tiles: UInt8, places: NDArray[np.integer], width: int, height: int) -> UInt8:
    """Put tiles on a transparent sheet.

    Parameters
    ----------
    tiles
        (n, s, s, 4).
    places
        (n, 2) x and y of each tile's left upper corner; later tiles lie on earlier ones.
    width, height
        Of the sheet, pixels.

    Returns
    -------
    (height, width, 4) uint8
    """
    sheet = np.zeros((height, width, 4), np.uint8)
    side = tiles.shape[1]
    for tile, (x, y) in zip(tiles, places.tolist(), strict=True):
        seen = tile[..., 3:] > 0
        below = sheet[y : y + side, x : x + side]
        below[...] = np.where(seen, tile, below)
    return sheet


def free_places(
    unit: NDArray[np.floating], cells: int, reach: int = 2
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose places on a square of cells so that no two points cover each other.

    As in Karpathy's cnnembed a point takes the cell it lies in, if no earlier one did. Here the others may
    take the nearest free cell within reach; what finds none has no place.

    Parameters
    ----------
    unit
        (N, 2) x and y, 0 to 1.
    cells
        Cells across and down.
    reach
        Largest distance from a point's own cell, in cells.

    Returns
    -------
    chosen, cell
        (n,) the rows that have a place, ascending, and (n, 2) its column and row.
    """
    own = np.minimum((np.asarray(unit) * cells).astype(np.int64), cells - 1)
    place = np.full(len(own), -1, np.int64)
    taken = np.zeros(cells * cells, bool)
    for step in _steps(reach):
        waiting = np.flatnonzero(place < 0)
        there = own[waiting] + step
        waiting = waiting[((there >= 0) & (there < cells)).all(axis=1)]
        index = (own[waiting] + step) @ np.array([1, cells])
        waiting, index = waiting[~taken[index]], index[~taken[index]]
        index, first = np.unique(index, return_index=True)
        place[waiting[first]] = index
        taken[index] = True
    chosen = np.flatnonzero(place >= 0)
    return chosen, np.stack((place[chosen] % cells, place[chosen] // cells), axis=1)


def _steps(reach: int) -> list[tuple[int, int]]:
    """Return the steps to the cells within reach, nearest first."""
    sides = range(-reach, reach + 1)
    steps = [(x, y) for y in sides for x in sides if x * x + y * y <= reach * reach]
    return sorted(steps, key=lambda step: (step[0] ** 2 + step[1] ** 2, step))
