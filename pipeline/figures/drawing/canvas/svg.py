"""A drawing as SVG: pictures embedded, text as text, lines as lines."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from xml.sax.saxutils import escape

from pipeline.figures.drawing.canvas.elements import (
    BLACK,
    DASH,
    DOT,
    HALO,
    INK,
    LINE,
    RIM,
    Edge,
    Element,
    Label,
    Pixels,
    Rectangle,
    Segments,
)

_FAMILY = "DejaVu Sans, Verdana, sans-serif"
_ANCHOR = {"l": "start", "m": "middle", "r": "end"}


def svg(width: int, height: int, elements: Sequence[Element]) -> str:
    """Return a drawing as the text of an SVG file."""
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FAMILY}">'
    return "\n".join([head, *map(_element, elements), "</svg>\n"])


def _element(element: Element) -> str:
    if isinstance(element, Pixels):
        height, width = element.pixels.shape[:2]
        coded = base64.b64encode(element.coded.content).decode("ascii")
        return (
            f'<image x="{element.x}" y="{element.y}" width="{width}" height="{height}" '
            f'style="image-rendering: pixelated" href="data:image/{element.coded.kind};base64,{coded}"/>'
        )
    if isinstance(element, Edge):
        place = f'x="{element.x - 0.5}" y="{element.y - 0.5}"'
        size = f'width="{element.width + 1}" height="{element.height + 1}"'
        return f'<rect {place} {size} fill="none" stroke="#{bytes(INK).hex()}"/>'
    if isinstance(element, Segments):
        return _segments(element) if element.segments else ""
    if isinstance(element, Rectangle):
        x, y, width, height = element.middle
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="none"'
        return (
            f'<rect {place} stroke="black" stroke-width="4"/><rect {place} stroke="white" stroke-width="2"/>'
        )
    return _label(element)


def _segments(lines: Segments) -> str:
    path = " ".join(f"M{x0:g} {y0:g}L{x1:g} {y1:g}" for x0, y0, x1, y1 in lines.segments)
    dots = " ".join(f"M{x:g} {y:g}h0" for x, y in lines.ends)
    dashes = f' stroke-dasharray="{DASH}"' if lines.dashed else ""
    drawn = [
        f'<path d="{shape}" fill="none" stroke="#{bytes(colour).hex()}" stroke-width="{width:g}"{more}/>'
        for colour, wider in ((BLACK, 2 * RIM), (lines.colour, 0.0))
        for shape, width, more in (
            (path, LINE + wider, dashes), (dots, 2 * DOT + wider, ' stroke-linecap="round"'),
        )
    ]  # fmt: skip
    return "\n".join(drawn)


def _label(text: Label) -> str:
    weight = ' font-weight="bold"' if text.bold else ""
    halo = f' stroke="black" stroke-width="{HALO * text.size:g}" paint-order="stroke"' if text.halo else ""
    anchor = _ANCHOR[text.anchor[0]]
    return (
        f'<text x="{text.x:g}" y="{text.baseline:g}" font-size="{text.size}" text-anchor="{anchor}"'
        f'{weight}{halo} fill="#{bytes(text.colour).hex()}">{escape(text.text)}</text>'
    )
