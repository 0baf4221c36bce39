"""Tiles of signals: values on both sides of zero, in the colours of the image that they were sent back to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.figures.drawing.canvas import Canvas, Label
from pipeline.figures.drawing.tiles import GAP, framed

UInt8 = npt.NDArray[np.uint8]

ZERO = 128  # grey of no signal
# Share of a tile's values that reach full black or white: a few very large ones would leave the rest grey.
SATURATED = 0.01
_SIDE = 56  # pixels, side of a tile in a block
_STEP = _SIDE + GAP
_TITLE, _LABEL, _NOTE = 15, 13, 11  # pixels, sizes of text
_BETWEEN = 16  # pixels between blocks


def signal_tile(values: npt.NDArray[np.float16], side: int) -> UInt8:
    """Draw a signal into the middle of a square, on a scale of its own: zero is grey, brighter is positive.

    Parameters
    ----------
    values : (h, w, C) float16
        Three colours, or one.
    side : int
        Of the square, pixels: the longer side of the signal is brought to it, its pixels repeated or left
        out.

    Returns
    -------
    (side, side, 3) uint8
    """
    drawn = np.full((side, side, 3), ZERO, np.uint8)
    if not values.size or not values.any():
        return drawn
    pixels = signal_pixels(values)
    scale = side / max(pixels.shape[:2])
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    rows, columns = (
        _taken(length, wanted) for length, wanted in zip(pixels.shape[:2], (height, width), strict=True)
    )
    top, left = (side - height) // 2, (side - width) // 2
    drawn[top : top + height, left : left + width] = pixels[np.ix_(rows, columns)]
    return drawn


def full_scale(values: npt.NDArray[np.floating]) -> float:
    """Return the magnitude that all but a hundredth of the values that are not zero reach; 0 if all are."""
    found = np.abs(values[values != 0].astype(np.float32))
    return float(np.quantile(found, 1 - SATURATED)) if found.size else 0.0


def signal_pixels(values: npt.NDArray[np.floating]) -> UInt8:
    """Make colours of a signal: zero is grey, full scale black or white; (h, w, C) to the same in uint8."""
    share = values.astype(np.float32) / (full_scale(values) or 1)
    return np.rint(ZERO + 127 * np.clip(share, -1, 1)).astype(np.uint8)


def reduced(pixels: UInt8, side: int) -> UInt8:
    """Bring a square picture (S, S, 3) to another side, by the means of the areas."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))


def block_side(count: int) -> int:
    """Return how many tiles of so many lie side by side in a block that is nearly square."""
    return int(np.ceil(np.sqrt(count)))


def signal_strip(tiles: Sequence[UInt8], columns: int) -> Canvas:
    """Draw tiles of one size side by side, so many in a line."""
    step = len(tiles[0]) + GAP
    lines = -(-len(tiles) // columns)
    canvas = Canvas(min(columns, len(tiles)) * step - GAP + 2, lines * step - GAP + 2)
    for place, pixels in enumerate(tiles):
        canvas.draw(*framed(place % columns * step + 1, place // columns * step + 1, pixels))
    return canvas


def signal_overview(
    units: Sequence[tuple[str, Sequence[Sequence[UInt8]]]], headings: Sequence[str], title: str, note: str
) -> Canvas:
    """Draw units below each other, of each a block of tiles for every heading, as Zeiler and Fergus do.

    Parameters
    ----------
    units : sequence of (str, sequence of sequence of (S, S, 3) uint8)
        Name, and for each heading the unit's tiles.
    headings : sequence of str
    title, note : str
        Written above.
    """
    most = max(len(block) for _, row in units for block in row)
    across = block_side(most)
    width, height = across * _STEP - GAP, -(-most // across) * _STEP - GAP
    top = _TITLE + _NOTE + 6 * GAP
    line = height + _LABEL + 4 * GAP
    left = [column * (width + _BETWEEN) + 1 for column in range(len(headings))]
    canvas = Canvas(left[-1] + width + 1, top + _LABEL + 2 * GAP + len(units) * line)
    canvas.draw(Label(0, 0, title, _TITLE, bold=True), Label(0, _TITLE + 2 * GAP, note, _NOTE))
    for x, heading in zip(left, headings, strict=True):
        canvas.draw(Label(x + width / 2, top, heading, _LABEL, anchor="ma"))
    for row, (name, drawn) in enumerate(units):
        y = top + _LABEL + 2 * GAP + row * line
        canvas.draw(Label(0, y, name, _LABEL, bold=True))
        for x, block in zip(left, drawn, strict=True):
            _draw_block(canvas, block, x, y + _LABEL + 2 * GAP, across)
    return canvas


def _draw_block(canvas: Canvas, tiles: Sequence[UInt8], left: int, top: int, across: int) -> None:
    for place, pixels in enumerate(tiles):
        x, y = left + place % across * _STEP, top + place // across * _STEP
        canvas.draw(*framed(x, y, reduced(pixels, _SIDE)))


def _taken(length: int, wanted: int) -> npt.NDArray[np.intp]:
    """Return which of so many pixels lie under the middles of those that are wanted."""
    return ((np.arange(wanted) + 0.5) * length / wanted).astype(np.intp)
