"""A drawing of pictures, text and lines that is written as WebP, as SVG and as PDF, the same each time.

Figures stand on a transparent ground, and their text is of a grey that can be read on white and on black,
so one file serves a light and a dark page; PDF, which is for print, has a white ground. Equal drawings give
equal bytes.

- `canvas`: the drawing; `elements`: what lies on it
- `painting`, `svg`, `pdf`: how each form is written
- `coding`: a picture inside of SVG and PDF; `lettering`: text by Pillow, and how wide it is
"""

from pipeline.figures.drawing.canvas.canvas import Canvas, Drawn
from pipeline.figures.drawing.canvas.elements import (
    BLACK,
    INK,
    WHITE,
    Edge,
    Element,
    Label,
    Pixels,
    Rectangle,
    Segments,
)
from pipeline.figures.drawing.canvas.lettering import cut_bold, fitted, said_of, text_width

__all__ = [
    "BLACK", "INK", "WHITE", "Canvas", "Drawn", "Edge", "Element", "Label", "Pixels", "Rectangle", "Segments",
    "cut_bold", "fitted", "said_of", "text_width",
]  # fmt: skip
