"""A map of numbers laid over an image: orange above zero, blue below, the image in grey beneath.

Orange and blue are told apart by all eyes, and lie beside grey on light pages and on dark ones. The more of
full scale a number is, the less of the image shines through: zero leaves it as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.figures.drawing.canvas import Edge, Label, Pixels, text_width
from pipeline.figures.drawing.tiles import framed

UInt8 = npt.NDArray[np.uint8]

ABOVE = np.array([255, 150, 20], np.float64)
BELOW = np.array([40, 110, 255], np.float64)
# Greys of the image's black and white: colours stand out from both.
_DARKEST, _BRIGHTEST = 45, 205
_STRONGEST = 0.85  # opacity of full scale
_LUMA = np.array([0.299, 0.587, 0.114])
_KEY, _TEXT = 10, 12  # pixels: height of a key's bar, size of its text


def overlay(picture: UInt8, values: npt.NDArray[np.floating], largest: float) -> UInt8:
    """Lay a map over a picture.

    Parameters
    ----------
    picture : (H, W, C) uint8
        Of one channel or of three.
    values : (H, W)
        One number a pixel; NaN where there is none: the image, darker.
    largest
        What full scale is, above 0; what is larger, either way, looks the same.

    Returns
    -------
    (H, W, 3) uint8
    """
    ground, share = muted(picture).astype(np.float64), np.clip(values / largest, -1, 1)
    known = np.nan_to_num(share)[..., None]
    opacity, ink = np.abs(known) * _STRONGEST, np.where(known >= 0, ABOVE, BELOW)
    mixed = ground * (1 - opacity) + ink * opacity
    mixed[np.isnan(share)] *= 0.6
    return mixed.round().astype(np.uint8)


def muted(picture: UInt8) -> UInt8:
    """Return a picture, (H, W, C), in greys of less contrast, (H, W, 3): the ground of maps."""
    grey = picture[..., 0] if picture.shape[2] == 1 else picture @ _LUMA
    levels = _DARKEST + grey / 255 * (_BRIGHTEST - _DARKEST)
    return np.repeat(levels.round().astype(np.uint8)[..., None], 3, axis=2)


def key(
    x: int, y: int, width: int, low: str, high: str, *, signed: bool = True
) -> list[Pixels | Edge | Label]:
    """Draw what the colours mean: a bar from full scale below zero, or from zero, to full scale above.

    Parameters
    ----------
    x, y, width
        Left upper corner and width, pixels; it is `KEY_HEIGHT` high.
    low, high
        What is written at its ends.
    signed
        Whether there is anything below zero.
    """
    values = np.linspace(-1 if signed else 0, 1, width)
    bar = overlay(np.full((1, width, 1), 128, np.uint8), values[None], 1).repeat(_KEY, axis=0)
    text = y + _KEY + 4
    ends = [Label(x, text, low, _TEXT), Label(x + width, text, high, _TEXT, anchor="ra")]
    zero = [Label(x + width / 2, text, "0", _TEXT, anchor="ma")]
    taken = text_width(low, _TEXT) * 2 + 20
    return [*framed(x, y, bar), *ends, *(zero if signed and taken < width else [])]


KEY_HEIGHT = _KEY + 4 + _TEXT + 8  # pixels, with its text


def scaled(picture: UInt8, side: int) -> UInt8:
    """Return a picture (h, w, 3) whose longer side is exactly `side` pixels.

    It is enlarged by repeating pixels, made smaller by their means: maps of all networks look alike in size.
    """
    scale = side / max(picture.shape[:2])
    height, width = (max(round(one * scale), 1) for one in picture.shape[:2])
    how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize((width, height), how))
