"""A drawing as PDF on white: pictures embedded, text as text, lines as lines.

Text is written with subsets of DejaVu, which lie in the file; names that it lacks letters of, or that are
shaped, lie there as pictures. A pixel is as long as CSS has it: 96 to an inch.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFInfo, PDFString
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas as Page

from pipeline.figures.drawing import fonts
from pipeline.figures.drawing.canvas.coding import code, is_opaque, on_white
from pipeline.figures.drawing.canvas.elements import (
    BLACK,
    DASH,
    DOT,
    HALO,
    INK,
    LINE,
    RIM,
    WHITE,
    Colour,
    Edge,
    Element,
    Label,
    Pixels,
    Segments,
)
from pipeline.figures.drawing.canvas.lettering import pictured

POINT = 72 / 96  # of a pixel
_FINER = 4  # how much finer than the drawing names are that lie there as pictures
# Modes of text, and round ends and joints of lines, as PDF counts them.
_STROKED, _ROUND = 1, 1
# Else pictures are written as text, a quarter larger.
rl_config.useA85 = 0


class _Info(PDFInfo):
    """What the file says of itself: no date, no author."""

    def format(self, document: object) -> object:
        return PDFDictionary({"Title": PDFString(self.title)}).format(document)


def write_pdf(path: Path, width: int, height: int, elements: Sequence[Element]) -> None:
    """Write a drawing, `width` by `height` pixels, as a PDF of one page, entitled with the file's stem."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page = Page(
        str(path),
        pagesize=(POINT * width, POINT * height),
        pageCompression=1,
        invariant=1,
        # The first that knows transparency.
        pdfVersion=(1, 4),
        initialFontName=_font(bold=False),
    )
    page._doc.info = _Info()
    page.setTitle(path.stem)
    # The origin of PDF is its left lower corner; turned over, its letters would be, too.
    page.scale(POINT, POINT)
    page.translate(0, height)
    page.setFillColorRGB(*_shares(WHITE))
    page.rect(0, -height, width, height, stroke=0, fill=1)
    for element in elements:
        _draw(page, element)
    page.save()


def _draw(page: Page, element: Element) -> None:
    if isinstance(element, Pixels):
        _draw_picture(page, element)
    elif isinstance(element, Label):
        _draw_label(page, element)
    elif isinstance(element, Segments):
        if element.segments:
            _draw_segments(page, element)
    elif isinstance(element, Edge):
        place = (element.x - 0.5, element.y - 0.5, element.width + 1, element.height + 1)
        _draw_frame(page, place, INK, 1)
    else:
        _draw_frame(page, element.middle, BLACK, 4)
        _draw_frame(page, element.middle, WHITE, 2)


def _draw_picture(page: Page, picture: Pixels) -> None:
    pixels = picture.pixels if is_opaque(picture.pixels) else on_white(picture.pixels)
    coded = picture.coded if pixels is picture.pixels else code(pixels)
    # Bytes of a JPEG go in as they are; PDF has its own way to write what PNG holds.
    source = io.BytesIO(coded.content) if coded.kind == "jpeg" else Image.fromarray(pixels[..., :3])
    height, width = pixels.shape[:2]
    page.drawImage(ImageReader(source), picture.x, -picture.y - height, width, height)


def _draw_frame(page: Page, place: tuple[float, float, float, float], colour: Colour, line: float) -> None:
    x, y, width, height = place
    page.setStrokeColorRGB(*_shares(colour))
    page.setLineWidth(line)
    page.rect(x, -y - height, width, height)


def _draw_segments(page: Page, lines: Segments) -> None:
    dots = [(*end, *end) for end in lines.ends]
    for colour, wider in ((BLACK, 2 * RIM), (lines.colour, 0.0)):
        page.saveState()
        page.setStrokeColorRGB(*_shares(colour))
        for parts, width in ((lines.segments, LINE), (dots, 2 * DOT)):
            page.setLineWidth(width + wider)
            page.setDash(*((DASH, DASH) if lines.dashed and parts is not dots else ()))
            # A line of no length with round ends is a dot.
            page.setLineCap(_ROUND if parts is dots else 0)
            page.lines([(x0, -y0, x1, -y1) for x0, y0, x1, y1 in parts])
        page.restoreState()


def _draw_label(page: Page, label: Label) -> None:
    readable = fonts.readable(label.text)
    if not fonts.is_plain(readable):
        _draw_pictured(page, label)
        return
    # A line break, say, would be a box; in SVG it is a space.
    text = "".join(one if one.isprintable() else " " for one in readable)
    write = {"l": page.drawString, "m": page.drawCentredString, "r": page.drawRightString}[label.anchor[0]]
    page.setFont(_font(bold=label.bold), label.size)
    if label.halo:
        page.saveState()
        page.setStrokeColorRGB(*_shares(BLACK))
        page.setLineWidth(HALO * label.size)
        page.setLineJoin(_ROUND)
        write(label.x, -label.baseline, text, mode=_STROKED)
        page.restoreState()
    page.setFillColorRGB(*_shares(label.colour))
    write(label.x, -label.baseline, text)


def _draw_pictured(page: Page, label: Label) -> None:
    """Write what the library cannot shape, or has no font for, with the code that writes it in WebP."""
    if found := pictured(label, _FINER):
        image, x, y = found
        width, height = image.width / _FINER, image.height / _FINER
        page.drawImage(ImageReader(image), x, -y - height, width, height, mask="auto")


@cache
def _font(*, bold: bool) -> str:
    """Return the name by which the library knows DejaVu; it is read once."""
    path = fonts.dejavu(bold=bold)
    registerFont(TTFont(path.stem, str(path), asciiReadable=False))
    return path.stem


def _shares(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (one / 255 for one in colour)
    return red, green, blue
