"""How good each layer's filters are: smoothness layer by layer, and a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from pipeline.contents import blocks
from pipeline.contents.values import Cell, Column, Evidence, Form
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.formats.filters import FilterLayer, FiltersFile, Quality
from pipeline.store.tables import write_table

MEASURES: dict[str, Form] = {
    "smoothness": "number", "variance_entropy": "number", "evenness": "number", "orthogonality": "number",
    "sparsity": "share",
}  # fmt: skip
# Names of more layers could not be read.
MOST_NAMES = 48
COURSE = ("layer", "smoothness", "deviation_of_noise", "smoothness_at_start")


def add_quality(section: SectionDraft, found: FiltersFile, layers: Mapping[str, FilterLayer]) -> None:
    """Add a warning where a layer looks like noise, the course of smoothness, and the table of all layers."""
    columns = [Column(name="layer"), Column(name="filters", form="count"), Column(name="kernel", form="size")]
    columns += _columns("")
    columns += _columns("_at_start") if found.about.at_start else []
    rows = []
    for name, layer in layers.items():
        before = _cells(layer.at_start) if layer.at_start else ()
        rows.append((name, layer.units, layer.kernel, *_cells(layer.quality), *before))
    if section.numbers["noise_layers"]:
        section.add(blocks.Notice(caption="noise"))
    _add_course(section, found, layers)
    section.add(blocks.Table(id="quality", caption="quality", columns=tuple(columns), rows=tuple(rows)))


def _columns(suffix: str) -> list[Column]:
    return [Column(name=name + suffix, form=form) for name, form in MEASURES.items()]


def _cells(quality: Quality) -> tuple[Cell, ...]:
    return tuple(getattr(quality, name) for name in MEASURES)


def _add_course(section: SectionDraft, found: FiltersFile, layers: Mapping[str, FilterLayer]) -> None:
    """Draw smoothness layer by layer, against noise and before training."""
    formed = {name: layer for name, layer in layers.items() if layer.quality.smoothness is not None}
    if len(formed) < 2:
        return
    now = np.array([layer.quality.smoothness for layer in formed.values()], np.float64)
    noise = np.array([layer.quality.deviation for layer in formed.values()], np.float64)
    before = np.array([_before(layer) for layer in formed.values()], np.float64)
    place = np.arange(len(formed))

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        axes.barh(
            place, 6 * noise, left=-3 * noise, height=0.8, color=theme.line, label="noise, 3 deviations"
        )
        if np.isfinite(before).any():
            axes.plot(before, place, "o", mfc="none", mec=theme.contrast, ms=5, label="before training")
        axes.plot(now, place, "o", color=theme.accent, ms=5, label="now")
        axes.axvline(0, color=theme.soft, linewidth=0.6)
        axes.set(xlabel="smoothness (1: flat, 0: noise)", ylim=(len(formed) - 0.4, -0.6))
        if len(formed) <= MOST_NAMES:
            axes.set_yticks(place, [ending(name) for name in formed])
        else:
            axes.set_ylabel("layer, in the network's order")
        figure.legend(loc="outside upper left", ncols=3, fontsize=8)

    write_table(section.folder / "smoothness.csv", COURSE, zip(formed, now, noise, before, strict=True))
    height = 1.3 + 0.2 * min(len(formed), MOST_NAMES)
    section.add(
        blocks.Figure(
            id="smoothness", caption="smoothness", data="smoothness.csv",
            evidence=Evidence(n=len(formed), of="layers"),
            **plot(section.folder, "smoothness", (4.4, height), paint),
        )
    )  # fmt: skip


def _before(layer: FilterLayer) -> float | None:
    return layer.at_start.smoothness if layer.at_start else None
