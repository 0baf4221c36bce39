"""Images beside their warps, points joined with where they were found, right and wrong told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Edge, Label, Pixels, Segments, cut_bold
from pipeline.figures.drawing.palette import RIGHT, UNLABELLED, WRONG
from pipeline.figures.drawing.unit_grid import fit
from pipeline.formats.correspondence import CorrespondenceFile, Matched
from pipeline.store.tables import write_table

SIDE, GAP, LINE = 256, 24, 20  # pixels: of a picture at most, between two, height of a line of text
OWN = 150  # pixels: of a picture on an image's own page, where two have to fit a phone
NAME, NAMED = 14, 200  # pixels: size of text, most that a layer's name takes
DRAWN, OWN_DRAWN = 20, 12  # points that are joined, the first
COLUMNS = ("y", "x", "true_y", "true_x", "found_y", "found_x", "error", "right", "equally_similar")

UInt8 = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """An image, one of its warps, and the points of that, by their place among all.

    Attributes
    ----------
    side
        That pictures of it have at most, pixels.
    drawn
        How many points are joined, the first; more lines hide the image.
    """

    image: UInt8
    warped: UInt8
    points: slice
    side: int
    drawn: int


def view(found: CorrespondenceFile, image: UInt8, probe: int, *, small: bool = False) -> View:
    """Return the first warp of a probe, by its place; `small` ones fit a phone as they are."""
    side, drawn = (OWN, OWN_DRAWN) if small else (SIDE, DRAWN)
    return View(image, found.views.picture[probe, 0], found.views.points_of(probe, 0), side, drawn)


def panel(
    section: SectionDraft, found: CorrespondenceFile, shown: View, matched: Matched, name: str, of: str
) -> blocks.Figure:
    """Draw where the points of a warp were found, as a figure of its own.

    Parameters
    ----------
    section, found
        Where it stands, and whose views.
    shown
        The image and its warp.
    matched
        By a layer or by patches.
    name
        Of the files.
    of
        What found them, for the title.
    """
    tile = fit(shown.image, (shown.side, shown.side))
    canvas = Canvas(2 * tile.shape[1] + GAP + 2, tile.shape[0] + 2)
    _draw(canvas, found, shown, matched, (1, 1))
    right = int(_right(matched)[shown.points].sum())
    count = shown.points.stop - shown.points.start
    write_table(section.folder / f"{name}.csv", COLUMNS, _rows(found, shown, matched))
    return blocks.Figure(
        id=name, caption="panel", data=f"{name}.csv", **canvas.save(section.folder, name),
        numbers={"of": of, "right": right, "count": count},
        evidence=Evidence(n=count, of="points"),
    )  # fmt: skip


def stack(
    section: SectionDraft,
    found: CorrespondenceFile,
    shown: View,
    matches: Sequence[tuple[str, Matched]],
    name: str,
) -> blocks.Figure:
    """Draw the same for several layers under each other, for an image's own page."""
    tile = fit(shown.image, (shown.side, shown.side))
    step = tile.shape[0] + LINE + 12
    canvas = Canvas(2 * tile.shape[1] + GAP + 2, len(matches) * step - 10)
    count, rights = shown.points.stop - shown.points.start, []
    for number, (layer, matched) in enumerate(matches):
        rights.append(int(_right(matched)[shown.points].sum()))
        text = f"{cut_bold(layer, NAME, NAMED)}: {rights[-1]} of {count}"
        canvas.draw(Label(1, number * step, text, NAME, bold=True))
        _draw(canvas, found, shown, matched, (1, number * step + LINE))
    rows = [(layer, *row) for layer, matched in matches for row in _rows(found, shown, matched)]
    write_table(section.folder / f"{name}.csv", ("layer", *COLUMNS), rows)
    return blocks.Figure(
        id=name, caption="own", data=f"{name}.csv", **canvas.save(section.folder, name),
        numbers={"count": count, "most": max(rights), "fewest": min(rights), "drawn": shown.drawn},
        evidence=Evidence(n=count, of="points"),
    )  # fmt: skip


def _right(matched: Matched) -> NDArray[np.bool_]:
    """(K,), what is drawn as right: of neurons that tie more than half."""
    return matched.hit > 0.5


def _draw(
    canvas: Canvas, found: CorrespondenceFile, shown: View, matched: Matched, corner: tuple[int, int]
) -> None:
    """Draw the image, its warp, and lines between, dashed where wrong; what ties is a dot of no colour."""
    x, y = corner
    scale, left = 1.0, x
    for column, picture in enumerate((shown.image, shown.warped)):
        tile = fit(picture, (shown.side, shown.side))
        left = x + column * (tile.shape[1] + GAP)
        canvas.draw(Pixels(left, y, tile), Edge(left, y, tile.shape[1], tile.shape[0]))
        scale = tile.shape[0] / picture.shape[0]
    some = slice(shown.points.start, min(shown.points.start + shown.drawn, shown.points.stop))
    starts = found.views.point[some] * scale + (y, x)
    ends = matched.place[some] * scale + (y, left)
    lines = np.column_stack([starts[:, ::-1], ends[:, ::-1]])
    one = matched.tied[some] == 1
    nowhere = np.column_stack([starts[~one][:, ::-1]] * 2)
    canvas.draw(_segments(nowhere, UNLABELLED))
    for right, colour in ((False, WRONG), (True, RIGHT)):
        chosen = lines[one & (_right(matched)[some] == right)]
        canvas.draw(_segments(chosen, colour, dashed=not right))


def _rows(
    found: CorrespondenceFile, shown: View, matched: Matched
) -> list[tuple[float, float, float, float, float, float, float, int, int]]:
    return [
        (*found.views.point[one].tolist(), *found.views.true[one].tolist(), *matched.place[one].tolist(),
         float(matched.error[one]), int(_right(matched)[one]), int(matched.tied[one]))
        for one in range(shown.points.start, shown.points.stop)
    ]  # fmt: skip


def _segments(lines: NDArray[np.float64], colour: str, *, dashed: bool = False) -> Segments:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return Segments(tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in lines.tolist()), (red, green, blue), dashed)
