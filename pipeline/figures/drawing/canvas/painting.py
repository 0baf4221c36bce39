"""A drawing as pixels, by Pillow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from pipeline.figures.drawing.canvas.elements import (
    BLACK,
    DASH,
    DOT,
    INK,
    LINE,
    RIM,
    WHITE,
    Edge,
    Element,
    Label,
    Pixels,
    Rectangle,
    Segments,
)
from pipeline.figures.drawing.canvas.lettering import letter

_FINER = 4  # how much finer lines are drawn than the picture is


def paint(width: int, height: int, elements: Sequence[Element]) -> Image.Image:
    """Return a drawing as an RGBA image."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for element in elements:
        if isinstance(element, Pixels):
            image.paste(Image.fromarray(element.pixels), (element.x, element.y))
        elif isinstance(element, Label):
            letter(pen, element)
        elif isinstance(element, Segments):
            _paint_segments(image, element)
        elif isinstance(element, Edge):
            x1, y1 = element.x + element.width, element.y + element.height
            pen.rectangle((element.x - 1, element.y - 1, x1, y1), outline=(*INK, 255))
        else:
            _paint_frame(pen, element)
    return image


def _paint_frame(pen: ImageDraw.ImageDraw, frame: Rectangle) -> None:
    x0, y0 = round(frame.x0), round(frame.y0)
    # At least five pixels: two white, two dark edges, one of the image.
    x1, y1 = max(round(frame.x1) - 1, x0 + 6), max(round(frame.y1) - 1, y0 + 6)
    pen.rectangle((x0, y0, x1, y1), outline=(*BLACK, 255), width=1)
    pen.rectangle((x0 + 3, y0 + 3, x1 - 3, y1 - 3), outline=(*BLACK, 255), width=1)
    pen.rectangle((x0 + 1, y0 + 1, x1 - 1, y1 - 1), outline=(*WHITE, 255), width=2)


def _paint_segments(image: Image.Image, lines: Segments) -> None:
    """Draw lines in a mask that is larger and then reduced, so that slanted ones have smooth edges."""
    if not lines.segments:
        return
    ends = np.array(lines.ends)
    x, y = np.floor(ends.min(0) - DOT - 2).astype(int).tolist()
    width, height = (np.ceil(ends.max(0) + DOT + 2).astype(int) - (x, y)).tolist()
    for colour, wider in ((BLACK, RIM), (lines.colour, 0.0)):
        mask = Image.new("L", (width * _FINER, height * _FINER))
        pen = ImageDraw.Draw(mask)
        for part in _parts(lines):
            scaled = [(one - start) * _FINER for one, start in zip(part, (x, y, x, y), strict=True)]
            pen.line(scaled, fill=255, width=round((LINE + 2 * wider) * _FINER))
        for dot in (ends - (x, y)).tolist():
            reach = (DOT + wider) * _FINER
            left, top = dot[0] * _FINER - reach, dot[1] * _FINER - reach
            pen.ellipse((left, top, left + 2 * reach, top + 2 * reach), fill=255)
        image.paste(colour, (x, y), mask.resize((width, height), Image.Resampling.BOX))


def _parts(lines: Segments) -> list[tuple[float, float, float, float]]:
    """Return the lines, or their dashes."""
    if not lines.dashed:
        return list(lines.segments)
    parts = []
    for x0, y0, x1, y1 in lines.segments:
        length = float(np.hypot(x1 - x0, y1 - y0))
        for start in np.arange(0, length, 2 * DASH):
            low, high = start / length, min(start + DASH, length) / length
            along = [x0 + low * (x1 - x0), y0 + low * (y1 - y0), x0 + high * (x1 - x0), y0 + high * (y1 - y0)]
            parts.append((along[0], along[1], along[2], along[3]))
    return parts
