"""The section of the map: images at their places, images on a grid, points by label, data for the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image

from pipeline.contents import blocks
from pipeline.contents.map_points import Attribute, Level, MapPoints, write_map_points
from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.atlases import save_atlases
from pipeline.figures.drawing.canvas import Canvas, Pixels, text_width
from pipeline.figures.drawing.mosaic import free_places, lay_out
from pipeline.figures.drawing.palette import LOOKS, SCALE, SEQUENCE, Theme, colour, marker
from pipeline.figures.drawing.plotting import Files, clean, plot, short
from pipeline.figures.drawing.webp import save_webp
from pipeline.figures.map_neighbours import nearest_places
from pipeline.formats.neighbours import OnMap
from pipeline.numerics.curves import z_order
from pipeline.store.tables import write_table

# Smallest tile of the grid on which something can be seen, pixels.
LEAST_TILE = 24
# More points than this are drawn as pixels inside the SVG, which would be tens of megabytes otherwise.
VECTOR_POINTS = 5000
MOST_LABELS = 20
WIDTH = 7.5  # inches
TABLE = "map.csv"
# Of the figures on the page.
ANCHORS = {"map": "places", "grid": "grid"}


class Tiles(Protocol):
    """Gives the images of some rows of the map, in any order, as tiles (n, size, size, 4) uint8."""

    def __call__(
        self, rows: NDArray[np.integer], size: int, *, margin: int = 0, square: bool = False
    ) -> NDArray[np.uint8]:
        """Read them; `margin` and `square` as in `pipeline.figures.drawing.mosaic.scale`."""


@dataclass(frozen=True)
class Points:
    """The map and what is known of its N images.

    Attributes
    ----------
    image_id : (N,) int64
    path : tuple of str
    xy : (N, 2) float32
    grid : (N, 2) int32
        Column and row.
    grid_shape : tuple of int
        Columns and rows.
    label, predicted : (N,) int32
        Index in `classes`, -1 where there is none.
    classes : tuple of str
        The dataset's classes, then outputs of the network that stand for none of them.
    numbers : dict
        The map's attributes: quality numbers and counts.
    attributes
        What else the dataset says of the images.
    without_output
        Classes of the dataset that no output is known to stand for: of their images it is not known whether
        the network is right.
    """

    image_id: NDArray[np.int64]
    path: Sequence[str]
    xy: NDArray[np.float32]
    grid: NDArray[np.int32]
    grid_shape: tuple[int, int]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    classes: tuple[str, ...]
    numbers: dict[str, Any]
    attributes: Sequence[Attribute] = ()
    without_output: Sequence[int] = ()

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(N,) whether it is known if the network is right."""
        answerable = ~np.isin(self.label, self.without_output)
        return (self.label >= 0) & (self.predicted >= 0) & answerable

    @property
    def unit(self) -> NDArray[np.float64]:
        """(N, 2) x and y, scaled alike so that the longer side runs from 0 to 1."""
        exact = self.xy.astype(np.float64)
        low, extent = exact.min(axis=0), float(np.ptp(exact, axis=0).max())
        return (exact - low) / (extent if extent > 0 else 1.0)

    def class_name(self, index: int) -> str | None:
        """Return a class's name, None for -1."""
        return self.classes[index] if index >= 0 else None


def add_map(section: SectionDraft, points: Points, tiles: Tiles, *, sides: Sequence[int], tile: int) -> None:
    """Draw the images at their places; one that would cover another is left out.

    Parameters
    ----------
    section
        The figures are added to it.
    points, tiles
        The map and its images.
    sides
        Of the sheets, pixels: the first becomes the figure, the others stand below it.
    tile
        Side of an image on them, pixels.
    """
    drawn = np.zeros((len(sides), len(points.xy)), bool)
    figures = [
        _map(section, points, tiles, (side, tile), one) for side, one in zip(sides, drawn, strict=True)
    ]
    _write_points(section, points, drawn[0])
    _add_sizes(section, "map", figures)


def _map(
    section: SectionDraft, points: Points, tiles: Tiles, size: tuple[int, int], drawn: NDArray[np.bool_]
) -> blocks.Figure:
    """Draw a sheet of a side with tiles of another; mark which images are drawn."""
    side, tile = size
    cells, unit = side // tile, points.unit
    chosen, cell = free_places(unit, cells)
    high = int(cell[:, 1].max()) + 1
    sheet = lay_out(tiles(chosen, tile, margin=_margin(tile)), cell * tile, cells * tile, high * tile)
    drawn[chosen] = True
    numbers = {"drawn": len(chosen), "canvas": side}
    return _sheet(section, points, sheet, "map", numbers)


def add_grid(section: SectionDraft, points: Points, tiles: Tiles, *, sides: Sequence[int]) -> None:
    """Draw every image in its cell of the full grid; of a large grid, one image of each block of cells.

    Parameters
    ----------
    section
        The figures are added to it.
    points, tiles
        The map and its images.
    sides
        Of the sheets, pixels at most: as of `add_map`.
    """
    _add_sizes(section, "grid", [_grid(section, points, tiles, side) for side in sides])


def _grid(section: SectionDraft, points: Points, tiles: Tiles, side: int) -> blocks.Figure:
    columns, rows = points.grid_shape
    block = max(1, -(-columns * LEAST_TILE // side))
    cell, chosen = np.unique(points.grid // block, axis=0, return_index=True)
    order = np.argsort(chosen)
    tile = side // -(-columns // block)
    size = (-(-columns // block) * tile, -(-rows // block) * tile)
    drawn = tiles(chosen[order], tile, margin=_margin(tile), square=True)
    numbers = {"shown": len(chosen), "block": block, "columns": columns, "rows": rows, "canvas": side}
    return _sheet(section, points, lay_out(drawn, cell[order] * tile, *size), "grid", numbers)


def _sheet(
    section: SectionDraft,
    points: Points,
    sheet: NDArray[np.uint8],
    name: str,
    numbers: dict[str, Any],
) -> blocks.Figure:
    """Write a sheet, which is called after its kind and its side."""
    own = f"{name}-{numbers['canvas']}"
    high, wide = sheet.shape[:2]
    files = Files(image=f"{own}.webp", dark=None, vector=None, pdf=f"{own}.pdf", width=wide, height=high)
    save_webp(section.folder / f"{own}.webp", Image.fromarray(sheet))
    Canvas(wide, high, [Pixels(0, 0, sheet)]).save_pdf(section.folder / f"{own}.pdf")
    return _figure(own, f"{name}-size", numbers, points, files)


def _add_sizes(section: SectionDraft, name: str, figures: Sequence[blocks.Figure]) -> None:
    """Add the first of some sheets as a figure, and what further ones there are side by side."""
    first, *others = figures
    section.add(first.model_copy(update={"id": ANCHORS[name], "caption": name}))
    if others:
        section.add(blocks.Multiples(id=f"{name}-sizes", caption=f"{name}-sizes", figures=tuple(others)))


def add_labels(section: SectionDraft, points: Points) -> None:
    """Draw a point for each image, coloured by its label; without labels nothing is added."""
    present = np.flatnonzero(np.bincount(points.label[points.label >= 0], minlength=len(points.classes)))
    if not len(present):
        return
    wide, high = np.ptp(points.xy, axis=0).tolist()
    size = (WIDTH, WIDTH * float(np.clip(high / max(wide, 1e-9), 0.4, 1.5)))
    files = plot(section.folder, "labels", size, lambda figure, theme: _scatter(figure, theme, points))
    numbers = {
        "labelled_classes": len(present), "colours": len(SEQUENCE), "looks": LOOKS,
        "names": len(named(points)), "unlabelled": int((points.label < 0).sum()),
    }  # fmt: skip
    section.add(_figure("labels", "labels", numbers, points, files))


def add_viewer(
    section: SectionDraft, points: Points, tiles: Tiles, *, most: int, tile: int, seed: int,
    near: OnMap | None = None,
) -> NDArray[np.integer]:  # fmt: skip
    """Write the data of the interactive map: atlases of thumbnails, and the points as scripts.

    Parameters
    ----------
    section
        The viewer is added to it.
    points, tiles
        The map and its images.
    most
        Points shown; a random sample where there are more.
    tile
        Side of a thumbnail, pixels.
    seed
        Of the sample.
    near
        Which images are nearest to which; the points name them where all of them are among these.

    Returns
    -------
    (n,) int
        The rows of the points shown.
    """
    rows = np.arange(len(points.xy))
    if len(rows) > most:
        rows = np.random.default_rng(seed).choice(rows, most, replace=False)
    # Tiles that are near each other on the map lie on one atlas.
    rows = rows[z_order(points.unit[rows])]
    levels = save_atlases(section.folder, tiles, rows, tile)
    near_places = nearest_places(near, points.image_id[rows]) if near else None
    viewed = replace(_viewed(points, rows, levels), near=near_places)
    scripts, data = write_map_points(section.folder, viewed)
    section.numbers |= {"viewer_images": len(rows)}
    pictures = tuple(name for level in levels for name in level["files"])
    section.add(
        blocks.Viewer(
            id="map",
            caption="viewer",
            program="map",
            scripts=tuple(scripts),
            data=tuple(data),
            pictures=pictures,
        )  # fmt: skip
    )
    return rows


def _viewed(points: Points, rows: NDArray[np.integer], levels: Sequence[dict[str, Any]]) -> MapPoints:
    x, y = points.unit[rows].T
    return MapPoints(
        x=x, y=y, cell=points.grid[rows], grid=points.grid_shape, label=points.label[rows],
        predicted=points.predicted[rows], classes=points.classes,
        colours=[colour(index) for index in range(len(points.classes))],
        path=[points.path[row] for row in rows], image_id=points.image_id[rows],
        levels=[Level.model_validate(level) for level in levels],
        attributes=[replace(one, value=one.value[rows]) for one in points.attributes],
        sequence=SEQUENCE, scale=SCALE, without_output=points.without_output,
    )  # fmt: skip


def named(points: Points) -> NDArray[np.int64]:
    """Return the classes whose names stand on the map, the largest first.

    Of more than can be read, those that are larger than every class that is left out: of classes of one size
    none is.
    """
    counts = np.bincount(points.label[points.label >= 0], minlength=len(points.classes))
    order = np.argsort(-counts, kind="stable")
    least = counts[order[MOST_LABELS]] if len(order) > MOST_LABELS else 0
    return order[:MOST_LABELS][counts[order[:MOST_LABELS]] > least]


def _scatter(figure: Figure, theme: Theme, points: Points) -> None:
    axes = clean(figure.add_subplot())
    axes.set_aspect("equal")
    axes.invert_yaxis()
    size = float(np.clip(30_000 / len(points.xy), 1.5, 30))
    for index in np.unique(points.label).tolist():
        own = points.xy[points.label == index]
        axes.scatter(
            own[:, 0], own[:, 1], s=size, c=colour(index), marker=marker(index), linewidths=0, alpha=0.9,
            rasterized=len(points.xy) > VECTOR_POINTS,
        )  # fmt: skip
    largest = named(points)
    size = 12 if len(largest) <= 10 else 9
    taken: list[tuple[float, float, float]] = []
    for index in largest.tolist():
        x, y = _middle(points.xy[points.label == index])
        name = short(points.classes[index], 20)
        if _has_room(points.xy, (x, y, text_width(name, size, bold=True)), taken):
            axes.text(
                x, y, name, ha="center", va="center", fontsize=size, fontweight="bold", color=theme.ink,
                path_effects=[withStroke(linewidth=3.5, foreground=theme.paper)],
            )  # fmt: skip


def _has_room(
    xy: NDArray[np.float32], name: tuple[float, float, float], taken: list[tuple[float, float, float]]
) -> bool:
    """Note a name as x, y and points of type in a line, unless it would run into a noted one."""
    # A line is about 1.6 of its size high, and a blank lies between two; `WIDTH` inches hold map and margins.
    point = 1.15 * float(np.ptp(xy[:, 0])) / (WIDTH * 72)
    for x, y, length in taken:
        beside = abs(x - name[0]) > (0.5 * (length + name[2]) + 6) * point
        if not beside and abs(y - name[1]) < 1.6 * 12 * point:
            return False
    taken.append(name)
    return True


def _middle(xy: NDArray[np.float32]) -> tuple[float, float]:
    """Return the point of a class that lies in its thickest part: with the nearest 10th-nearest neighbour."""
    some = xy[:: max(1, len(xy) // 500)].astype(np.float64)
    squared = ((some[:, None] - some) ** 2).sum(axis=2)
    squared.sort(axis=1)
    x, y = some[squared[:, min(len(some) // 4 + 1, len(some) - 1)].argmin()]
    return float(x), float(y)


def _margin(tile: int) -> int:
    return max(1, tile // 16)


def _figure(name: str, caption: str, numbers: dict[str, Any], points: Points, files: Files) -> blocks.Figure:
    evidence = Evidence(n=len(points.xy))
    return blocks.Figure(id=name, caption=caption, numbers=numbers, data=TABLE, evidence=evidence, **files)


def _write_points(section: SectionDraft, points: Points, drawn: NDArray[np.bool_]) -> None:
    columns = ("image_id", "path", "label", "predicted", "x", "y", "column", "row", "drawn")
    values = zip(
        points.image_id.tolist(), points.path, map(points.class_name, points.label.tolist()),
        map(points.class_name, points.predicted.tolist()), *points.xy.T.tolist(), *points.grid.T.tolist(),
        drawn.astype(int).tolist(), strict=True,
    )  # fmt: skip
    write_table(section.folder / TABLE, columns, values)
