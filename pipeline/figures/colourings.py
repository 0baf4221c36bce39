"""The map as points, coloured by the prediction, by right and wrong, and by the attributes of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pipeline.contents import blocks
from pipeline.contents.map_points import Attribute, value_range
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import RIGHT, SCALE, UNLABELLED, WRONG, Theme, colour, marker
from pipeline.figures.drawing.plotting import clean, plot, short
from pipeline.figures.embedding import Points
from pipeline.store.tables import write_table

WIDTH, LEGEND = 3.5, 0.4  # inches: of a figure, and the height of what stands below the map
BAR = 0.195  # inches, height of a scale
INTERVALS = 4  # between numbers on a scale: of five digits more would run into each other
LETTERS = 12  # of the longest name, of which three stand in a line of the legend
# More points than this are drawn as pixels inside the SVG.
VECTOR_POINTS = 1000
# Words whose colours a picture explains, the most frequent first; and attributes that have one.
MOST_WORDS, MOST_ATTRIBUTES = 9, 12
TABLE = "colours.csv"


@dataclass(frozen=True)
class Colouring:
    """One property of the images on the map.

    Attributes
    ----------
    name
        Of its file and its anchor.
    caption
        Names a part of the section's caption file.
    of
        Its values.
    looks
        Colour and marker of each word, and of none as the last; empty for numbers.
    """

    name: str
    caption: str
    of: Attribute
    looks: Sequence[tuple[str, str]]


def add_colourings(section: SectionDraft, points: Points) -> None:
    """Draw the map once for each property that the images differ in.

    Parameters
    ----------
    section
        The figures are added to it.
    points
        The map.
    """
    drawn = list(_colourings(points))
    if not drawn:
        return
    columns = ("image_id", "path", *(one.of.name for one in drawn))
    values = zip(*(_cells(one.of) for one in drawn), strict=True)
    rows = zip(points.image_id.tolist(), points.path, values, strict=True)
    write_table(section.folder / TABLE, columns, ((*known, *own) for *known, own in rows))
    figures = tuple(_figure(section, points, one) for one in drawn)
    section.add(blocks.Multiples(id="colours", caption="colours", figures=figures))


def _colourings(points: Points) -> Iterator[Colouring]:
    """Yield what the map is coloured by: predictions, right and wrong, attributes."""
    looks = [(colour(index), marker(index)) for index in (*range(len(points.classes)), -1)]
    if len(np.unique(points.predicted)) > 1:
        yield Colouring(
            "predicted", "by-prediction", Attribute("predicted", points.predicted, points.classes), looks
        )
    judged = points.judged
    if judged.any():
        wrong = np.where(judged, points.label != points.predicted, -1)
        attribute = Attribute("right", wrong, ("right", "wrong"))
        yield Colouring("right", "by-right", attribute, [(RIGHT, "o"), (WRONG, "^"), (UNLABELLED, ".")])
    for number, one in enumerate(points.attributes[:MOST_ATTRIBUTES]):
        own = [(colour(index), marker(index)) for index in (*range(len(one.words or ())), -1)]
        yield Colouring(f"attribute-{number:03}", "by-attribute", one, own if one.words else ())


def _cells(one: Attribute) -> list[str | float | None]:
    if one.words is None:
        return [value if np.isfinite(value) else None for value in one.value.tolist()]
    return [one.words[place] if place >= 0 else None for place in one.value.tolist()]


def _figure(section: SectionDraft, points: Points, one: Colouring) -> blocks.Figure:
    paint = _paint_words if one.of.words else _paint_numbers
    wide, high = np.ptp(points.xy, axis=0).tolist()
    # A flat map would stand in an empty square.
    size = (WIDTH, LEGEND + WIDTH * float(np.clip(high / max(wide, 1e-9), 0.4, 1)))
    files = plot(section.folder, one.name, size, lambda figure, theme: paint(figure, theme, points, one))
    known = one.of.value >= 0 if one.of.words else np.isfinite(one.of.value)
    numbers: dict[str, Number] = {"attribute": one.of.name, "unknown": int((~known).sum())}
    if one.of.words:
        numbers |= {"words": len(np.unique(one.of.value[known])), "explained": MOST_WORDS}
    if one.caption == "by-right":
        numbers |= {"judged": int(known.sum()), "wrong": int((one.of.value == 1).sum())}
    evidence = Evidence(n=len(points.xy))
    return blocks.Figure(
        id=f"by-{one.name}", caption=one.caption, numbers=numbers, data=TABLE, evidence=evidence, **files
    )


def _axes(figure: Figure) -> Axes:
    axes = clean(figure.add_subplot())
    axes.set_aspect("equal")
    axes.invert_yaxis()
    return axes


def _dot(points: Points) -> float:
    return float(np.clip(8_000 / len(points.xy), 0.8, 20))


def _paint_words(figure: Figure, theme: Theme, points: Points, one: Colouring) -> None:
    axes, value = _axes(figure), one.of.value
    words, counts = np.unique(value, return_counts=True)
    # The rare lie on the frequent.
    for word in words[np.argsort(-counts, kind="stable")].tolist():
        own = points.xy[value == word]
        axes.scatter(
            own[:, 0], own[:, 1], s=_dot(points), c=one.looks[word][0], marker=one.looks[word][1],
            linewidths=0, rasterized=len(points.xy) > VECTOR_POINTS,
        )  # fmt: skip
    known = words[words >= 0]
    if len(known) > MOST_WORDS:
        return
    assert one.of.words is not None
    handles = [
        Line2D([], [], linestyle="", color=one.looks[word][0], marker=one.looks[word][1], markersize=6,
               label=short(one.of.words[word], 18))
        for word in known.tolist()
    ]  # fmt: skip
    longest = max(len(str(handle.get_label())) for handle in handles)
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3 if longest <= LETTERS else 2, handletextpad=0.1,
        columnspacing=0.8, labelcolor=theme.ink, fontsize=8,
    )  # fmt: skip


def _paint_numbers(figure: Figure, theme: Theme, points: Points, one: Colouring) -> None:
    axes, value = _axes(figure), one.of.value
    low, high = value_range(value)
    colours = LinearSegmentedColormap.from_list("scale", SCALE)
    # The nearest colour of a value beyond the scale is that of its end.
    scale = ScalarMappable(Normalize(low, high), colours)
    known = np.isfinite(value)
    drawn = np.tile(np.array(to_rgba(UNLABELLED)), (len(value), 1))
    drawn[known] = scale.to_rgba(value[known])
    order = np.argsort(known, kind="stable")
    axes.scatter(
        points.xy[order, 0], points.xy[order, 1], s=_dot(points), c=drawn[order], linewidths=0,
        rasterized=len(points.xy) > VECTOR_POINTS,
    )  # fmt: skip
    bar = figure.colorbar(
        scale,
        ax=axes,
        location="bottom",
        extend="both",
        # Its length is twenty times that.
        fraction=BAR / figure.get_figheight(),
        pad=0.02,
        ticks=MaxNLocator(INTERVALS),
    )
    bar.ax.tick_params(colors=theme.ink)
