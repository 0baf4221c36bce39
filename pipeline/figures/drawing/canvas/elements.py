"""What lies on a drawing, and the measures that are the same in every form of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.figures.drawing.canvas.coding import Coded, code

Colour: TypeAlias = tuple[int, int, int]

# 4.5 : 1 against white and 4.6 : 1 against black.
INK: Colour = (118, 118, 118)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
# Of lines, pixels: width, radius of a dot, dark rim, length of a dash.
LINE, DOT, RIM, DASH = 1.8, 3.0, 0.6, 5
# Pillow anchors by ascender and middle, SVG and PDF by the baseline: shares of the size between them.
BASELINE = {"a": 0.93, "m": 0.36}
# Width of a halo's line in SVG and PDF, half of it behind the letters: a share of the size.
HALO = 0.25


@dataclass(frozen=True)
class Pixels:
    """A picture, (h, w, 3) or with opacity (h, w, 4) uint8, its left upper corner at x, y."""

    x: int
    y: int
    pixels: npt.NDArray[np.uint8]

    @cached_property
    def coded(self) -> Coded:
        """The picture as PNG or JPEG, coded once for all forms of a drawing."""
        return code(self.pixels)


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

    @property
    def baseline(self) -> float:
        """The y on which the letters stand."""
        return self.y + BASELINE[self.anchor[1]] * self.size


@dataclass(frozen=True)
class Rectangle:
    """The outline of a rectangle, two pixels wide, drawn inside of it in white between dark edges."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def middle(self) -> tuple[float, float, float, float]:
        """Of the line: x, y, width and height, these one pixel at least."""
        x, y = self.x0 + 2, self.y0 + 2
        return x, y, max(self.x1 - 2 - x, 1), max(self.y1 - 2 - y, 1)


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

    @property
    def ends(self) -> list[tuple[float, float]]:
        """Where the dots lie."""
        return [end for x0, y0, x1, y1 in self.segments for end in ((x0, y0), (x1, y1))]


Element: TypeAlias = Pixels | Label | Rectangle | Edge | Segments
