"""The patches that activate each unit most, in the manner of figure 4 of Girshick et al. (R-CNN, CVPR 2014).

A line of tiles a unit, the strongest image first, its activation in white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.contents.parts import Tiles
from pipeline.figures.drawing.canvas import Canvas, Label, text_width
from pipeline.figures.drawing.tiles import GAP, empty, enlarge, enlarged_side, framed, hatched, value_text

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

_LONGEST = 12  # tiles in a line; more are broken into lines of equal length
_TITLE, _LABEL, _NOTE = 15, 13, 11  # pixels, sizes of text
_EDGE = 1  # pixel of the line around a tile
_UNIT_GAP = 10  # pixels between units whose tiles take several lines


@dataclass(frozen=True)
class UnitTiles:
    """What is drawn of a unit, k places.

    Attributes
    ----------
    unit
        Its number in the layer.
    value
        (k,) float32; -inf in a place that stays empty; these come last.
    patch, mask
        (k, S, S, 3) and (k, S, S) uint8.
    count_active, images
        Images with a positive maximum, and all.
    passed_over
        Near-duplicates that were left out.
    """

    unit: int
    value: Float32
    patch: UInt8
    mask: UInt8
    count_active: int
    images: int
    passed_over: int

    @property
    def shown(self) -> int:
        """Places that are filled."""
        return int(np.count_nonzero(np.isfinite(self.value)))

    @property
    def reason(self) -> str:
        """Why the last places are empty."""
        if self.count_active > self.shown + self.passed_over:
            return "near-duplicates only"
        return "never active" if not self.shown else "never active on other images"

    @property
    def title(self) -> str:
        """What it is called in an overview."""
        return f"unit {self.unit}"

    @property
    def note(self) -> str:
        """What is said of it there."""
        return f"active {_share(self)}"


def patch_strip(tiles: UnitTiles) -> Canvas:
    """Draw a unit's patches with their activations.

    Parameters
    ----------
    tiles : UnitTiles

    Returns
    -------
    Canvas
        Lines of tiles, nothing beside them.
    """
    canvas = _strip_canvas(len(tiles.value), len(enlarge(tiles.patch[0])))
    _draw_patches(canvas, tiles, 0, 0)
    return canvas


def patch_overview(units: Sequence[UnitTiles], title: str, note: str) -> Canvas:
    """Draw the patches of several units of a layer, a unit a line, with their numbers.

    Parameters
    ----------
    units : sequence of UnitTiles
        All with as many places and patches of the same size.
    title, note : str
        Written above.

    Returns
    -------
    Canvas
    """
    side = len(enlarge(units[0].patch[0]))
    canvas, places = _overview(units, side, title, note)
    for tiles, (x, y) in zip(units, places, strict=True):
        _draw_patches(canvas, tiles, x, y)
    return canvas


def _grid(count: int) -> tuple[int, int]:
    """Lines, and tiles in a line."""
    lines = -(-count // _LONGEST)
    return lines, -(-count // lines)


def strip_size(count: int, side: int) -> tuple[int, int]:
    """Width and height of a unit's `count` tiles of a side, pixels."""
    lines, columns = _grid(count)
    return columns * (side + GAP) - GAP + 2 * _EDGE, lines * (side + GAP) - GAP + 2 * _EDGE


def strip_tiles(tiles: UnitTiles) -> Tiles | None:
    """Return where a unit's patches lie in its strip; None where there are none."""
    if not tiles.shown:
        return None
    _, columns = _grid(len(tiles.value))
    side = enlarged_side(len(tiles.patch[0]))
    return Tiles(count=tiles.shown, columns=columns, side=side, step=side + GAP, edge=_EDGE)


def _strip_canvas(count: int, side: int) -> Canvas:
    return Canvas(*strip_size(count, side))


def _corner(place: int, count: int, side: int) -> tuple[int, int]:
    """Where a tile lies among those of its unit."""
    _, columns = _grid(count)
    return place % columns * (side + GAP) + _EDGE, place // columns * (side + GAP) + _EDGE


def _draw_patches(canvas: Canvas, tiles: UnitTiles, left: int, top: int) -> None:
    count = len(tiles.value)
    for place in range(tiles.shown):
        pixels = enlarge(hatched(tiles.patch[place], tiles.mask[place]))
        x, y = _corner(place, count, len(pixels))
        canvas.draw(*framed(left + x, top + y, pixels))
        canvas.draw(value_text(left + x, top + y, float(tiles.value[place]), len(pixels)))
    _draw_empty(canvas, tiles, left, top, len(enlarge(tiles.patch[0])))


def _draw_empty(canvas: Canvas, tiles: UnitTiles, left: int, top: int, side: int) -> None:
    """Fill the empty places of each line with one tile; the first of them says why."""
    count = len(tiles.value)
    _, columns = _grid(count)
    text, place = tiles.reason, tiles.shown
    while place < count:
        after = min((place // columns + 1) * columns, count)
        (x, y), (end, _) = _corner(place, count, side), _corner(after - 1, count, side)
        canvas.draw(*empty(left + x, top + y, end + side - x, side, text))
        text, place = "", after


def _overview(
    units: Sequence[UnitTiles], side: int, title: str, note: str
) -> tuple[Canvas, list[tuple[int, int]]]:
    """Write title and labels; return where each unit's tiles go."""
    labels = [(tiles.title, tiles.note) for tiles in units]
    left = (
        max(max(text_width(name, _LABEL, bold=True), text_width(share, _NOTE)) for name, share in labels)
        + 3 * GAP
    )
    top = _TITLE + _NOTE + 6 * GAP
    width, height = strip_size(len(units[0].value), side)
    step = height + (GAP - 2 * _EDGE if height == side + 2 * _EDGE else _UNIT_GAP)
    written = max(text_width(title, _TITLE, bold=True), text_width(note, _NOTE))
    canvas = Canvas(max(left + width, written), top + len(units) * step - (step - height))
    canvas.draw(Label(0, 0, title, _TITLE, bold=True), Label(0, _TITLE + 2 * GAP, note, _NOTE))
    places = [(left, top + row * step) for row in range(len(units))]
    for (name, share), (_, y) in zip(labels, places, strict=True):
        middle = y + side / 2
        canvas.draw(Label(0, middle - _LABEL, name, _LABEL, bold=True))
        canvas.draw(Label(0, middle + GAP, share, _NOTE))
    return canvas, places


def _share(tiles: UnitTiles) -> str:
    share = 100 * tiles.count_active / tiles.images
    return f"{share:.2g} %" if 0 < share < 10 else f"{share:.0f} %"
