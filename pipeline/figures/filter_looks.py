"""Colourfulness and frequency of the first layer's filters, the filters themselves as marks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from pipeline.analyses.filters.looks import is_clear
from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.kernels import tile
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot
from pipeline.figures.filter_tiles import shaped
from pipeline.formats.filters import FiltersFile
from pipeline.numerics.spreading import even_places
from pipeline.store.tables import write_table

# More marks would cover each other.
MOST = 160
_SIDE = 24  # pixels, of a mark
# On average, of filters whose weights are independent noise.
OF_NOISE = 2 / 3
COLUMNS = ("filter", "colourfulness", "frequency", "norm", "smoothness")


def add_looks(section: SectionDraft, source: FiltersFile) -> None:
    """Add the figure; nothing where no convolution reads three colours."""
    if not source.about.first:
        return
    looks, layer = source.looks(), source.layer(source.about.first)
    colour = looks.colourfulness
    if colour is None:
        section.add(blocks.Notice(caption="grey"))
        return
    clear = np.flatnonzero(is_clear(layer.norm))
    # Of a large dense layer not all weights are kept.
    kept = np.flatnonzero(np.isin(layer.unit, clear))
    kept = kept[even_places(len(kept), MOST)]
    shown, weight = layer.unit[kept], shaped(layer, source.weight(source.about.first)[kept])
    marks = [tile(one, float(np.abs(one).max()), _SIDE) for one in weight]

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        _axes(axes, theme, float(looks.frequency[shown].max(initial=0)))
        for x, y, pixels in zip(looks.frequency[shown], colour[shown], marks, strict=True):
            picture = OffsetImage(pixels, zoom=_SIDE / max(pixels.shape[:2]) * 0.6, interpolation="nearest")
            axes.add_artist(AnnotationBbox(picture, (x, y), frameon=True, pad=0.05))
        if looks.separation is not None:
            axes.axhline(looks.separation.threshold, color=theme.soft, linewidth=0.8, linestyle=":")

    rows = zip(range(layer.units), colour, looks.frequency, layer.norm, layer.smoothness, strict=True)
    write_table(section.folder / "looks.csv", COLUMNS, rows)
    numbers: dict[str, Number] = {"layer": source.about.first, "shown": len(shown), "filters": layer.units}
    numbers["clear"] = len(clear)
    if looks.separation is not None:
        numbers |= vars(looks.separation)
    section.add(
        blocks.Figure(
            id="looks", caption="looks", numbers=numbers, data="looks.csv",
            evidence=Evidence(n=len(clear), of="filters"), **plot(section.folder, "looks", (4.8, 4.0), paint),
        )
    )  # fmt: skip


def _axes(axes: Axes, theme: Theme, highest: float) -> None:
    right = max(highest, 0.2) + 0.05
    axes.set(
        xlim=(-0.03, right), ylim=(-0.06, 1.06),
        xlabel="dominant frequency, cycles a pixel", ylabel="colourfulness (0: grey)",
    )  # fmt: skip
    axes.axhline(OF_NOISE, color=theme.line, linewidth=0.8)
    axes.text(right, OF_NOISE, "noise, on average", ha="right", va="bottom", color=theme.soft, fontsize=8)
