"""Text by Pillow, names of every script included; how wide a text is."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from pipeline.dataset.isolation import isolated
from pipeline.figures.drawing import fonts
from pipeline.figures.drawing.canvas.elements import BLACK, Label

# Of names alone whose letters are joined, marked or written to the left: it may be there or not.
_SHAPING = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
# Shares of a text's width that lie before its anchor.
_BEFORE = {"l": 0.0, "m": 0.5, "r": 1.0}


def text_width(text: str, size: int, *, bold: bool = False) -> int:
    """Width of a line of text, pixels."""
    if fonts.is_plain(text):
        return int(np.ceil(_font(size, bold=bold).getlength(text)))
    return int(np.ceil(sum(font.getlength(part) for font, part in _shaped(text, size, bold=bold))))


def cut_bold(name: str, size: int, width: int) -> str:
    """Cut a layer's bold name to so many pixels, at its front: its last letters tell it apart."""
    cut = name
    while text_width(cut, size, bold=True) > width:
        name = name[1:]
        cut = f"…{name}"
    return cut


def fitted(name: str, size: int, width: int, *, bold: bool = False) -> str:
    """Cut a name to so many pixels, at its end, as far as it can be read here."""
    text = fonts.readable(name)
    if text_width(text, size, bold=bold) <= width:
        return text
    # Hardly a letter is narrower than a fifth of its size.
    most = min(len(text) - 1, 5 * width // size)
    while most > 0 and text_width(f"{text[:most]}…", size, bold=bold) > width:
        most = fonts.whole(text, most - 1)
    return f"{text[: fonts.whole(text, most)]}…"


def said_of(before: str, name: str, size: int, width: int, *, bold: bool = False, after: str = "") -> str:
    """Write a name between words, so that all take so many pixels, and it stays between them."""
    room = width - text_width(before + after, size, bold=bold)
    return f"{before}{isolated(fitted(name, size, room, bold=bold))}{after}"


def letter(pen: ImageDraw.ImageDraw, text: Label) -> None:
    """Write a line of text."""
    font, halo = _font(text.size, bold=text.bold), max(1, text.size // 7) if text.halo else 0
    ink, edge = (*text.colour, 255), (*BLACK, 255)
    if fonts.is_plain(text.text):
        pen.text((text.x, text.y), text.text, ink, font, text.anchor, stroke_width=halo, stroke_fill=edge)
        return
    ascent, descent = font.getmetrics()
    baseline = text.y + (ascent if text.anchor[1] == "a" else (ascent - descent) / 2)
    parts = _shaped(text.text, text.size, bold=text.bold)
    x = text.x - _BEFORE[text.anchor[0]] * sum(font.getlength(part) for font, part in parts)
    for font, part in parts:
        pen.text((x, baseline), part, ink, font, "ls", stroke_width=halo, stroke_fill=edge)
        x += font.getlength(part)


def pictured(text: Label, times: int) -> tuple[Image.Image, float, float] | None:
    """Return a line of text as a picture, so many times as large, with the x and y of its left upper corner.

    Returns
    -------
    tuple or None
        An RGBA image that ends where the letters do, and its place in pixels of the drawing; None where
        nothing can be seen of the text.
    """
    # Marks above and below letters may leave the line by its height.
    width, margin = text_width(text.text, text.size, bold=text.bold), 2 * text.size
    left, top = text.x - _BEFORE[text.anchor[0]] * width - margin, text.y - margin
    ground = (*(BLACK if text.halo else text.colour), 0)
    image = Image.new("RGBA", (times * (width + 2 * margin), times * (2 * margin + text.size)), ground)
    at = (text.x - left) * times, (text.y - top) * times
    letter(ImageDraw.Draw(image), replace(text, x=at[0], y=at[1], size=times * text.size))
    box = image.getbbox(alpha_only=True)
    return box and (image.crop(box), left + box[0] / times, top + box[1] / times)


@lru_cache(maxsize=64)
def _loaded(path: Path, size: int, layout: ImageFont.Layout) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=layout)


def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    # The basic layout, because the other one depends on a library that may be there or not.
    return _loaded(fonts.dejavu(bold=bold), size, ImageFont.Layout.BASIC)


def _shaped(text: str, size: int, *, bold: bool) -> list[tuple[ImageFont.FreeTypeFont, str]]:
    """Return the parts of a text that is not plain, each with a font that has its letters."""
    parts = fonts.runs(fonts.readable(text), bold=bold)
    return [(_loaded(path, size, _SHAPING), part) for path, part in parts]
