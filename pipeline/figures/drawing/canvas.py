"""A drawing of pictures, text and lines that is written as PNG or WebP and as SVG, the same each time.

Figures stand on a transparent ground, and their text is of a grey that can be read on white and on black,
so one file serves a light and a dark page. Equal drawings give equal bytes.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, features

from pipeline.figures.drawing import fonts
from pipeline.figures.drawing.webp import save_webp

Colour: TypeAlias = tuple[int, int, int]

# 4.5 : 1 against white and 4.6 : 1 against black.
INK: Colour = (118, 118, 118)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_FAMILY = "DejaVu Sans, Verdana, sans-serif"
# Of names alone whose letters are joined, marked or written to the left: it may be there or not.
_SHAPING = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
# Of lines, pixels: width, radius of a dot, dark rim, length of a dash; and how much finer they are drawn.
_LINE, _DOT, _RIM, _DASH, _FINER = 1.8, 3.0, 0.6, 5, 4
# Pillow anchors by ascender and middle; SVG by the baseline: shares of the size from one to the other.
_BASELINE = {"a": 0.93, "m": 0.36}
_ANCHOR = {"l": "start", "m": "middle", "r": "end"}


@dataclass(frozen=True)
class Pixels:
    """A picture, (h, w, 3) uint8, its left upper corner at x, y."""

    x: int
    y: int
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Label:
    """A line of text; `anchor` is Pillow's: l, m, r across and a (ascender) or m (middle) down."""

    x: float
    y: float
    text: str
    size: int
    bold: bool = False
    colour: Colour = INK
    halo: bool = False
    anchor: Literal["la", "ma", "ra", "lm", "mm", "rm"] = "la"


@dataclass(frozen=True)
class Rectangle:
    """The outline of a rectangle, two pixels wide, drawn inside of it in white between dark edges."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Edge:
    """A grey line, one pixel wide, around a picture: a white one would not end on a white page."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Segments:
    """Lines of one colour between dark edges, each x0, y0, x1, y1, with a dot at either end."""

    segments: tuple[tuple[float, float, float, float], ...]
    colour: Colour
    dashed: bool = False


class Drawn(TypedDict):
    """The forms of a drawing, as `pipeline.contents.blocks.Figure` takes them; sizes are pixels."""

    image: str
    vector: str
    width: int
    height: int


Element: TypeAlias = Pixels | Label | Rectangle | Edge | Segments


@dataclass
class Canvas:
    """A drawing `width` by `height` pixels; elements lie over each other in their order."""

    width: int
    height: int
    elements: list[Element] = field(default_factory=list)

    def draw(self, *elements: Element) -> None:
        """Lay elements on top."""
        self.elements.extend(elements)

    def image(self) -> Image.Image:
        """Return the drawing as an RGBA image."""
        image = Image.new("RGBA", (self.width, self.height), (0, 0, 0, 0))
        pen = ImageDraw.Draw(image)
        for element in self.elements:
            if isinstance(element, Pixels):
                image.paste(Image.fromarray(element.pixels), (element.x, element.y))
            elif isinstance(element, Label):
                _draw_text(pen, element)
            elif isinstance(element, Segments):
                _draw_segments(image, element)
            elif isinstance(element, Edge):
                x1, y1 = element.x + element.width, element.y + element.height
                pen.rectangle((element.x - 1, element.y - 1, x1, y1), outline=(*INK, 255))
            else:
                _draw_frame(pen, element)
        return image

    def save(self, folder: Path, name: str) -> Drawn:
        """Write the drawing as WebP and as SVG; `name` is the files' stem."""
        found = Drawn(image=f"{name}.webp", vector=f"{name}.svg", width=self.width, height=self.height)
        self.save_webp(folder / found["image"])
        self.save_svg(folder / found["vector"])
        return found

    def save_webp(self, path: Path) -> None:
        """Write the drawing as WebP."""
        save_webp(path, self.image())

    def save_svg(self, path: Path) -> None:
        """Write the drawing as SVG: pictures embedded, text as text, lines as lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [_svg(element) for element in self.elements]
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FAMILY}">'
        path.write_text("\n".join([head, *parts, "</svg>\n"]), encoding="utf-8")


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


def _draw_text(pen: ImageDraw.ImageDraw, text: Label) -> None:
    font, halo = _font(text.size, bold=text.bold), max(1, text.size // 7) if text.halo else 0
    ink, edge = (*text.colour, 255), (*BLACK, 255)
    if fonts.is_plain(text.text):
        pen.text((text.x, text.y), text.text, ink, font, text.anchor, stroke_width=halo, stroke_fill=edge)
        return
    ascent, descent = font.getmetrics()
    baseline = text.y + (ascent if text.anchor[1] == "a" else (ascent - descent) / 2)
    parts = _shaped(text.text, text.size, bold=text.bold)
    before = {"l": 0.0, "m": 0.5, "r": 1.0}[text.anchor[0]]
    x = text.x - before * sum(font.getlength(part) for font, part in parts)
    for font, part in parts:
        pen.text((x, baseline), part, ink, font, "ls", stroke_width=halo, stroke_fill=edge)
        x += font.getlength(part)


def _draw_frame(pen: ImageDraw.ImageDraw, frame: Rectangle) -> None:
    x0, y0 = round(frame.x0), round(frame.y0)
    # At least five pixels: two white, two dark edges, one of the image.
    x1, y1 = max(round(frame.x1) - 1, x0 + 6), max(round(frame.y1) - 1, y0 + 6)
    pen.rectangle((x0, y0, x1, y1), outline=(*BLACK, 255), width=1)
    pen.rectangle((x0 + 3, y0 + 3, x1 - 3, y1 - 3), outline=(*BLACK, 255), width=1)
    pen.rectangle((x0 + 1, y0 + 1, x1 - 1, y1 - 1), outline=(*WHITE, 255), width=2)


def _draw_segments(image: Image.Image, lines: Segments) -> None:
    """Draw lines in a mask that is larger and then reduced, so that slanted ones have smooth edges."""
    if not lines.segments:
        return
    ends = np.array(lines.segments).reshape(-1, 2)
    x, y = np.floor(ends.min(0) - _DOT - 2).astype(int).tolist()
    width, height = (np.ceil(ends.max(0) + _DOT + 2).astype(int) - (x, y)).tolist()
    for colour, wider in ((BLACK, _RIM), (lines.colour, 0.0)):
        mask = Image.new("L", (width * _FINER, height * _FINER))
        pen = ImageDraw.Draw(mask)
        for part in _parts(lines):
            scaled = [(one - start) * _FINER for one, start in zip(part, (x, y, x, y), strict=True)]
            pen.line(scaled, fill=255, width=round((_LINE + 2 * wider) * _FINER))
        for dot in (ends - (x, y)).tolist():
            reach = (_DOT + wider) * _FINER
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
        for start in np.arange(0, length, 2 * _DASH):
            low, high = start / length, min(start + _DASH, length) / length
            along = [x0 + low * (x1 - x0), y0 + low * (y1 - y0), x0 + high * (x1 - x0), y0 + high * (y1 - y0)]
            parts.append((along[0], along[1], along[2], along[3]))
    return parts


def _svg(element: Element) -> str:
    if isinstance(element, Pixels):
        height, width = element.pixels.shape[:2]
        return (
            f'<image x="{element.x}" y="{element.y}" width="{width}" height="{height}" '
            f'style="image-rendering: pixelated" href="{_encoded(element.pixels)}"/>'
        )
    if isinstance(element, Edge):
        place = f'x="{element.x - 0.5}" y="{element.y - 0.5}"'
        size = f'width="{element.width + 1}" height="{element.height + 1}"'
        return f'<rect {place} {size} fill="none" stroke="#{bytes(INK).hex()}"/>'
    if isinstance(element, Segments):
        return _svg_segments(element) if element.segments else ""
    if isinstance(element, Rectangle):
        x0, y0, x1, y1 = element.x0 + 2, element.y0 + 2, element.x1 - 2, element.y1 - 2
        place = f'x="{x0:g}" y="{y0:g}" width="{max(x1 - x0, 1):g}" height="{max(y1 - y0, 1):g}" fill="none"'
        return (
            f'<rect {place} stroke="black" stroke-width="4"/><rect {place} stroke="white" stroke-width="2"/>'
        )
    return _svg_text(element)


def _svg_segments(lines: Segments) -> str:
    path = " ".join(f"M{x0:g} {y0:g}L{x1:g} {y1:g}" for x0, y0, x1, y1 in lines.segments)
    dots = " ".join(f"M{x:g} {y:g}h0" for x, y in np.array(lines.segments).reshape(-1, 2).tolist())
    dashes = f' stroke-dasharray="{_DASH}"' if lines.dashed else ""
    drawn = [
        f'<path d="{shape}" fill="none" stroke="#{bytes(colour).hex()}" stroke-width="{width:g}"{more}/>'
        for colour, wider in ((BLACK, 2 * _RIM), (lines.colour, 0.0))
        for shape, width, more in (
            (path, _LINE + wider, dashes), (dots, 2 * _DOT + wider, ' stroke-linecap="round"'),
        )
    ]  # fmt: skip
    return "\n".join(drawn)


def _svg_text(text: Label) -> str:
    y = text.y + _BASELINE[text.anchor[1]] * text.size
    weight = ' font-weight="bold"' if text.bold else ""
    halo = f' stroke="black" stroke-width="{text.size / 4:g}" paint-order="stroke"' if text.halo else ""
    return (
        f'<text x="{text.x:g}" y="{y:g}" font-size="{text.size}" text-anchor="{_ANCHOR[text.anchor[0]]}"'
        f'{weight}{halo} fill="#{bytes(text.colour).hex()}">{escape(text.text)}</text>'
    )


def _encoded(pixels: npt.NDArray[np.uint8]) -> str:
    """Return a picture as an address that holds it: the smaller of PNG and JPEG, which all programs read."""
    written = {"png": io.BytesIO()}
    Image.fromarray(pixels).save(written["png"], "PNG", compress_level=6)
    # JPEG knows no transparency.
    if pixels.shape[2] == 3 or (pixels[..., 3] == 255).all():
        written["jpeg"] = io.BytesIO()
        Image.fromarray(pixels[..., :3]).save(written["jpeg"], "JPEG", quality=90)
    kind = min(written, key=lambda one: len(written[one].getvalue()))
    return f"data:image/{kind};base64,{base64.b64encode(written[kind].getvalue()).decode('ascii')}"
