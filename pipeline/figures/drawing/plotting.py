"""Plots by matplotlib: drawn once for light and once for dark pages, with equal bytes for equal data."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import Any, TypedDict

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.text import Text

from pipeline.figures.drawing.fonts import fonts_for, is_plain, readable, whole
from pipeline.figures.drawing.palette import DARK, LIGHT, Theme

# An inch of a figure is as long as CSS has it: type of 9 points is 12 pixels high in every figure.
# Two pixels of a picture are one of the page, as sharp screens have them.
INCH = 96  # pixels of the page
DPI = 2 * INCH
# It tells each table and each glyph of a font that goes into a PDF.
logging.getLogger("fontTools").setLevel(logging.WARNING)
Paint = Callable[[Figure, Theme], None]


class Files(TypedDict):
    """The forms of a picture, as `pipeline.contents.blocks.Figure` takes them; sizes in pixels of a page."""

    image: str
    dark: str | None
    vector: str | None
    pdf: str | None
    width: int
    height: int


def plot(folder: Path, name: str, size: tuple[float, float], paint: Paint) -> Files:
    """Draw a figure as PNG, for light pages and for dark ones, and as SVG, without a ground; as PDF on white.

    Parameters
    ----------
    folder
        Where the files go.
    name
        Their stem.
    size
        Width and height, inches.
    paint
        Draws on an empty figure in the inks of a theme; is called once a theme.

    Returns
    -------
    Files
    """
    for theme, suffix in ((LIGHT, ""), (DARK, "-dark")):
        with matplotlib.rc_context(rc=_settings(theme)):
            figure = Figure(figsize=size, dpi=DPI, layout="constrained")
            FigureCanvasAgg(figure)
            paint(figure, theme)
            _write_names(figure)
            _break_labels(figure)
            png = folder / f"{name}{suffix}.png"
            figure.savefig(png, transparent=True, metadata={"Software": None})
            if theme is LIGHT:
                # The layout stands, and finding it is most of the work.
                figure.set_layout_engine("none")
                metadata = {"Date": None, "Creator": None}
                figure.savefig(folder / f"{name}.svg", transparent=True, metadata=metadata)
                nothing = {"CreationDate": None, "Creator": None, "Producer": None}
                figure.savefig(folder / f"{name}.pdf", metadata=nothing)
    width, height = (round(inches * INCH) for inches in size)
    return Files(
        image=f"{name}.png", dark=f"{name}-dark.png", vector=f"{name}.svg", pdf=f"{name}.pdf", width=width,
        height=height,
    )  # fmt: skip


def _break_labels(figure: Figure) -> None:
    """Let labels of axes go on in a second line where the figure ends; the layout makes no room for them."""
    sides = figure.bbox.size
    labels = [
        (label, along)
        for axes in figure.axes
        for label, along in ((axes.xaxis.label, 0), (axes.yaxis.label, 1))
        if label.get_text() and label.get_window_extent().size[along] > sides[along] / 2
    ]
    # A second line takes room from the other axis.
    while labels:
        figure.draw_without_rendering()
        labels = [one for one in labels if _broken(*one, sides)]


def _broken(label: Text, along: int, sides: tuple[float, float]) -> bool:
    """Break a label, along the width (0) or the height (1), if it leaves the figure; tell whether it did."""
    extent = label.get_window_extent()
    middle = (extent.min[along] + extent.max[along]) / 2
    room = 2 * min(middle, sides[along] - middle)
    words = label.get_text().split()
    longest = max(label.get_text().split("\n"), key=len)
    letters = max(int(len(longest) * room / extent.size[along]), max(map(len, words)))
    if letters >= len(longest):
        return False
    label.set_text(fill(" ".join(words), letters, break_long_words=False))
    return True


def _write_names(figure: Figure) -> None:
    """Give names that DejaVu has not all letters of the fonts that have them, or code points."""
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    labels = [[label.get_text() for label in axis.get_ticklabels()] for axis in axes]
    texts = figure.findobj(Text)
    # Words of our own are plain; of most data so are names.
    if all(map(is_plain, [text.get_text() for text in texts])):
        return
    families = ["DejaVu Sans", *map(_family, fonts_for(text.get_text() for text in texts))]
    for axis, written in zip(axes, labels, strict=True):
        axis.set_tick_params(labelfontfamily=families)
        if (legible := [readable(one) for one in written]) != written:
            axis.set_ticks(axis.get_majorticklocs(), legible)
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
        text.set_text(readable(text.get_text()))


def _family(path: Path) -> str:
    """Return the name that Matplotlib knows a font by."""
    fontManager.addfont(path)
    return FontProperties(fname=path).get_name()


def short(name: str, most: int = 24) -> str:
    """Cut a name so that it fits a figure."""
    return name if len(name) <= most else f"{name[: whole(name, most - 1)]}…"


def ending(name: str, most: int = 24) -> str:
    """Cut a layer's or a checkpoint's name at its front: its last letters tell it apart."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def clean(axes: Axes) -> Axes:
    """Take the frame and the ticks off axes whose scale has no meaning."""
    axes.set_axis_off()
    return axes


def _settings(theme: Theme) -> Any:
    """Return matplotlib's settings; every one that a user's own file could change matters for equal bytes."""
    return {
        **{key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"},
        "font.family": "DejaVu Sans",
        "font.size": 9,
        # Names come from the user: a dollar sign in one is no formula.
        "text.parse_math": False,
        "svg.hashsalt": "convatlas",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,  # text stays text, for whoever edits it
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.edgecolor": theme.soft,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "grid.color": theme.line,
        "grid.linewidth": 0.7,
        "xtick.color": theme.soft,
        "xtick.labelcolor": theme.ink,
        "ytick.color": theme.soft,
        "ytick.labelcolor": theme.ink,
        "legend.frameon": False,
    }
