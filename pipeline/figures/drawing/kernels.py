"""Weights as pictures: zero is grey, the largest weight white, the most negative black.

- `shades`: kernels as pixels
- `wrapped`: a tile a filter, in lines
- `crossed`: a line of tiles a filter, a column a channel
- `matrix`: a pixel a weight
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.figures.drawing.canvas import Canvas, Label, text_width
from pipeline.figures.drawing.tiles import GAP, framed

UInt8 = NDArray[np.uint8]
Weights = NDArray[np.floating]

WIDTH = 560  # pixels: what is written can still be read where the picture is shrunk to a phone's width
_TITLE, _LABEL, _NOTE = 15, 12, 12  # pixels, sizes of text
_GREY, _REACH = 128, 127  # of zero, and from there to the largest weight
_WIDEST_CELL = 24  # pixels, of a weight in a matrix


def shades(weight: Weights, largest: float) -> UInt8:
    """Return weights as pixels.

    Parameters
    ----------
    weight
        (…, C, y, x), C 1 or 3.
    largest
        The size that is white or black; 0: all are zero.

    Returns
    -------
    (…, y, x, 3) uint8
    """
    scaled = np.clip(np.moveaxis(weight, -3, -1) / (largest or 1.0), -1, 1)
    pixels = np.rint(_GREY + _REACH * scaled).astype(np.uint8)
    return np.broadcast_to(pixels, (*pixels.shape[:-1], 3))


def tile(weight: Weights, largest: float, side: int) -> UInt8:
    """Return a kernel (C, y, x) as a tile whose pixels are repeated until its longer side nears `side`."""
    pixels = shades(weight, largest)
    factor = max(1, round(side / max(pixels.shape[:2])))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def wrapped(tiles: Sequence[UInt8], labels: Sequence[str], title: str, note: str) -> Canvas:
    """Draw tiles of one size in lines, each under its label, below a title and a note."""
    height, width = tiles[0].shape[:2]
    step = max(width, *(text_width(label, _LABEL) for label in labels)) + 2 * GAP
    columns = min(len(tiles), max(1, WIDTH // step))
    down = height + _LABEL + 3 * GAP
    canvas, top = _headed(columns * step, -(-len(tiles) // columns) * down, title, note)
    for place, (pixels, label) in enumerate(zip(tiles, labels, strict=True)):
        x, y = place % columns * step + 1, top + place // columns * down
        canvas.draw(Label(x, y, label, _LABEL), *framed(x, y + _LABEL + GAP, pixels))
    return canvas


def crossed(
    tiles: Sequence[Sequence[UInt8]], rows: Sequence[str], columns: Sequence[str], title: str, note: str
) -> Canvas:
    """Draw lines of tiles of one size, each line after its label, each column under its own."""
    height, width = tiles[0][0].shape[:2]
    left = max(text_width(row, _LABEL) for row in rows) + 2 * GAP
    step = max(width, *(text_width(column, _LABEL) for column in columns)) + GAP
    down = max(height, _LABEL) + GAP
    canvas, top = _headed(left + len(columns) * step, len(rows) * down + _LABEL + GAP, title, note)
    for place, column in enumerate(columns):
        canvas.draw(Label(left + place * step, top, column, _LABEL))
    for line, (row, pictures) in enumerate(zip(rows, tiles, strict=True)):
        y = top + _LABEL + 2 * GAP + line * down
        canvas.draw(Label(0, y + height / 2, row, _LABEL, anchor="lm"))
        for place, pixels in enumerate(pictures):
            canvas.draw(*framed(left + place * step, y, pixels))
    return canvas


def matrix(values: Weights, largest: float, title: str, note: str) -> Canvas:
    """Draw a matrix (n, m), a square a weight."""
    side = min(_WIDEST_CELL, max(2, WIDTH // values.shape[1]))
    pixels = shades(values[None], largest).repeat(side, axis=0).repeat(side, axis=1)
    canvas, top = _headed(pixels.shape[1] + 2, pixels.shape[0] + 2, title, note)
    canvas.draw(*framed(1, top + 1, pixels))
    return canvas


def strip(tiles: Sequence[UInt8], labels: Sequence[str]) -> Canvas:
    """Draw tiles of one size side by side, each under its label."""
    height, width = tiles[0].shape[:2]
    step = max(width, *(text_width(label, _LABEL) for label in labels)) + GAP
    canvas = Canvas(len(tiles) * step, height + _LABEL + GAP + 2)
    for place, (pixels, label) in enumerate(zip(tiles, labels, strict=True)):
        x = place * step + 1
        canvas.draw(Label(x, 0, label, _LABEL), *framed(x, _LABEL + GAP, pixels))
    return canvas


def _headed(width: int, height: int, title: str, note: str) -> tuple[Canvas, int]:
    """Begin a canvas with its title and note; return it and where what is below them begins."""
    top = _TITLE + _NOTE + 5 * GAP
    written = max(text_width(title, _TITLE, bold=True), text_width(note, _NOTE))
    canvas = Canvas(max(width, written), top + height)
    canvas.draw(Label(0, 0, title, _TITLE, bold=True), Label(0, _TITLE + 2 * GAP, note, _NOTE))
    return canvas, top
