"""Tiles: the small pictures that figures are made of."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.figures.drawing.canvas import WHITE, Edge, Label, Pixels, text_width

UInt8 = npt.NDArray[np.uint8]

GAP = 4  # pixels between tiles
LEAST = 64  # pixels, smallest side of a tile that a value can be written on
# Stripes of two greys that no photograph has side by side: unseen is told apart from black and from grey.
# They lie level, since slanted ones cost more bytes in a WebP than the photographs beside them.
_STRIPES = np.array([[112, 112, 112], [146, 146, 146]], np.uint8)
_STRIPE = 4  # pixels
_SMALL, _LINE = 12, 15  # pixels, size of text and height of its lines
_FLAT = 104  # grey of a place that stays empty; white text on it has a contrast of 5.5 : 1


def format_value(value: float) -> str:
    """Write an activation with three digits: 0.123, 12.3, 1,230."""
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-3:
        return f"{value:.2e}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:#.3g}"


@lru_cache(maxsize=8)
def unseen(height: int, width: int) -> UInt8:
    """(height, width, 3) uint8, the hatching of what the network did not see."""
    y, _ = np.mgrid[:height, :width]
    return _STRIPES[y // _STRIPE % 2]


def hatched(pixels: UInt8, seen: npt.NDArray[np.generic]) -> UInt8:
    """Hatch what was not seen.

    Parameters
    ----------
    pixels : (S, S, 3) uint8
    seen : (S, S) bool or uint8
        Nonzero where the network saw the image.

    Returns
    -------
    (S, S, 3) uint8
    """
    return np.where(seen.astype(bool)[..., None], pixels, unseen(*pixels.shape[:2]))


def enlarged_side(side: int, least: int = LEAST) -> int:
    """Return the side of a tile whose pixels are repeated until it is at least `least`."""
    return side * max(1, -(-least // side))


def enlarge(pixels: UInt8, least: int = LEAST) -> UInt8:
    """Repeat the pixels of a tile so that its side is at least `least`."""
    factor = enlarged_side(len(pixels), least) // len(pixels)
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1) if factor > 1 else pixels


def framed(x: int, y: int, pixels: UInt8) -> tuple[Pixels, Edge]:
    """Place a tile with a thin line around it, which takes one pixel of the gap on each side."""
    return Pixels(x, y, pixels), Edge(x, y, pixels.shape[1], pixels.shape[0])


def value_text(x: int, y: int, value: float, side: int) -> Label:
    """Write an activation in white into the left upper corner of a tile that lies at x, y."""
    size = max(11, side // 8)
    return Label(x + 4, y + 2, format_value(value), size, bold=True, colour=WHITE, halo=True)


def empty(x: int, y: int, width: int, height: int, text: str) -> list[Pixels | Label]:
    """Fill places that stay empty with one flat tile that says why."""
    lines = _broken(text, width - 8)
    top = y + height / 2 - (len(lines) - 1) * _LINE / 2
    words = [
        Label(x + width / 2, top + number * _LINE, line, _SMALL, colour=WHITE, anchor="mm")
        for number, line in enumerate(lines)
    ]
    return [Pixels(x, y, np.full((height, width, 3), _FLAT, np.uint8)), *words]


def _broken(text: str, width: int) -> list[str]:
    """Break a text into lines that are no wider than `width` pixels, where it has blanks."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, _SMALL) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
