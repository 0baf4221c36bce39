"""Maps of a layer's units as tiles of one figure: a picture in the left upper corner, the maps around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.figures.drawing.canvas import Pixels

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WIDTH = 720  # pixels, most of a figure
HEIGHT = 900  # pixels; of more, tiles become smaller
GAP = 2  # pixels between tiles, a line that is seen beside black and on either page
LARGEST = 64  # pixels, side of an enlarged tile
SMALLEST = 12  # pixels, side below which no tile is reduced
CORNER = 96  # pixels, least side of the picture
_LINE = 96  # grey of the line around a tile
# What a negative value of full scale looks like: black is zero, white is positive.
NEGATIVE = np.array([40, 120, 255], np.float32)


@dataclass(frozen=True)
class Grid:
    """Where tiles lie.

    Attributes
    ----------
    count
        Tiles.
    height, width
        Of a tile, pixels.
    columns
        Places in a line of the figure.
    corner
        Lines and columns of places that the picture takes.
    shrunk
        How many positions of a map a pixel is the mean of, along a side.
    """

    count: int
    height: int
    width: int
    columns: int
    corner: int
    shrunk: int = 1

    @property
    def rows(self) -> int:
        """Lines of places."""
        beside = self.corner * (self.columns - self.corner)
        below = max(self.count - beside, 0)
        return self.corner + -(-below // self.columns)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the figure, pixels."""
        return self.rows * (self.height + GAP), self.columns * (self.width + GAP)

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the left upper corner of each tile, y and x, pixels."""
        for row in range(self.rows):
            for column in range(self.corner if row < self.corner else 0, self.columns):
                yield row * (self.height + GAP) + GAP // 2, column * (self.width + GAP) + GAP // 2


def grid_of(count: int, map_size: tuple[int, int]) -> Grid:
    """Return how maps are laid out: as large as the figure has room, in whole repetitions of a position.

    Parameters
    ----------
    count
        Of the maps.
    map_size
        Their height and width.
    """
    side = max(map_size)
    for factor in range(max(LARGEST // side, 1), 0, -1):
        grid = _laid_out(count, map_size[0] * factor, map_size[1] * factor)
        if grid.size[0] <= HEIGHT and grid.width + GAP <= WIDTH // 2:
            return grid
    shrunk = 2
    while side // (shrunk + 1) >= SMALLEST and _too_large(count, map_size, shrunk):
        shrunk += 1
    if side // shrunk < SMALLEST:
        return _laid_out(count, *map_size)
    height, width = (-(-one // shrunk) for one in map_size)
    return _laid_out(count, height, width, shrunk)


def _too_large(count: int, map_size: tuple[int, int], shrunk: int) -> bool:
    height, width = (-(-one // shrunk) for one in map_size)
    grid = _laid_out(count, height, width)
    return grid.size[0] > HEIGHT or grid.width + GAP > WIDTH // 2


def _laid_out(count: int, height: int, width: int, shrunk: int = 1) -> Grid:
    corner = -(-CORNER // (max(height, width) + GAP))
    most = max(WIDTH // (width + GAP), corner + 1)
    # No wider than is filled beside the picture.
    return Grid(count, height, width, min(most, corner + -(-count // corner)), corner, shrunk)


def draw_grid(grid: Grid, maps: Float32, white: float, picture: UInt8) -> list[Pixels]:
    """Draw maps around a picture.

    Parameters
    ----------
    grid
        Of as many tiles as there are maps.
    maps : (V, h, w)
        Black is zero; positive values go to white, negative ones to blue.
    white
        The value that is white, above 0; as far below zero is blue.
    picture : (H, W, C)
        Of one channel or of three.

    Returns
    -------
    list of Pixels
        The lines that are full, and what there is of the last.
    """
    places = list(grid.places())[: grid.count]
    drawn = np.zeros((*grid.size, 3), np.uint8)
    corner = [grid.corner * (side + GAP) - GAP for side in (grid.height, grid.width)]
    _put(drawn, _centred(fit(picture, (corner[0], corner[1])), corner), GAP // 2, GAP // 2)
    for values, (y, x) in zip(maps, places, strict=True):
        _put(drawn, _resized(_coloured(values, white, grid.shrunk), grid), y, x)
    bottom, right = places[-1][0] - GAP // 2, places[-1][1] + grid.width + GAP // 2
    if grid.rows <= grid.corner or right == grid.size[1]:
        return [Pixels(0, 0, drawn)]
    return [Pixels(0, 0, drawn[:bottom]), Pixels(0, bottom, drawn[bottom:, :right])]


def _centred(picture: UInt8, size: Sequence[int]) -> UInt8:
    """Put a picture in the middle of a black place."""
    place = np.zeros((*size, 3), np.uint8)
    y, x = ((whole - part) // 2 for whole, part in zip(size, picture.shape[:2], strict=True))
    place[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return place


def fit(picture: UInt8, size: tuple[int, int]) -> UInt8:
    """Return a picture as RGB, as large as it can be within a height and a width, its sides as they are.

    Small ones are enlarged by repeating their pixels.
    """
    rgb = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
    scale = min(size[0] / rgb.shape[0], size[1] / rgb.shape[1])
    if scale >= 1:
        factor = int(scale)
        return rgb.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = (max(round(one * scale), 1) for one in rgb.shape[:2])
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX))


def _coloured(values: Float32, white: float, shrunk: int) -> UInt8:
    if shrunk > 1:
        height, width = (-(-one // shrunk) for one in values.shape)
        values = np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BOX))
    share = np.clip(values / white, -1, 1)[..., None]
    return np.rint(np.where(share >= 0, share * 255, -share * NEGATIVE)).astype(np.uint8)


def _resized(tile: UInt8, grid: Grid) -> UInt8:
    return tile.repeat(grid.height // tile.shape[0], axis=0).repeat(grid.width // tile.shape[1], axis=1)


def _put(drawn: UInt8, tile: UInt8, y: int, x: int) -> None:
    """Lay a tile down with a line around it."""
    height, width = tile.shape[:2]
    drawn[y - 1 : y + height + 1, x - 1 : x + width + 1] = _LINE
    drawn[y : y + height, x : x + width] = tile
