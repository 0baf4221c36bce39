"""How well people tell from a unit's strongest images which of two further ones excites it more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.drawing.scales import around
from pipeline.formats.human_choices import Choices
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

CHANCE = 0.5
COLUMNS = (
    Column(name="layer", form="layer"), Column(name="share", form="share"),
    Column(name="ends", form="interval"), Column(name="answers", form="count"),
    Column(name="unsure", form="count"), Column(name="units", form="count"),
    Column(name="annotators", form="count"),
)  # fmt: skip
UNIT_FACTS = (Column(name="told", form="proportion"),)
FILE = ("layer", "unit", "annotator", "left", "right", "left_value", "right_value", "more", "is_right")
SAID = {0: "left", 1: "right", -1: "unsure"}


def add_human_scores(section: SectionDraft, found: Choices | Status) -> None:
    """Show each layer's score, or say why there is none."""
    if isinstance(found, Status):
        section.status = found
        return
    section.numbers |= _numbers(found)
    write_table(section.folder / "choices.csv", FILE, _lines(found))
    _add_figure(section, found)
    section.add(
        blocks.Table(id="layers", caption="layers", columns=COLUMNS, rows=tuple(_rows(found)),
                     evidence=Evidence(n=len(found.more), of="answers", interval="wilson"))
    )  # fmt: skip
    section.layers += _parts(found)


def _numbers(found: Choices) -> dict[str, Number]:
    low, high = found.scores.low, found.scores.high
    counts = found.counts()
    return {
        **counts, "layers": len(found.layers), "share": float(found.whole.share[0]),
        "ends": (float(found.whole.low[0]), float(found.whole.high[0])),
        "above": int((low > CHANCE).sum()), "below": int((high < CHANCE).sum()),
        "other_network": found.other_network, "unknown": found.unknown, "ties": found.ties,
    }  # fmt: skip


def _rows(found: Choices) -> Iterator[tuple[Cell, ...]]:
    for place, name in enumerate(found.layers):
        scores, counts = found.scores, found.counts(place)
        ends = (float(scores.low[place]), float(scores.high[place]))
        numbers = (counts[one] for one in ("answers", "unsure", "units", "annotators"))
        yield name, float(scores.share[place]), ends, *numbers


def _lines(found: Choices) -> Iterator[tuple[object, ...]]:
    right = found.right.tolist()
    for row, more in enumerate(found.more.tolist()):
        yield (
            found.layers[found.layer[row]], int(found.unit[row]), found.annotators[found.annotator[row]],
            *found.image_id[row].tolist(), *found.value[row].tolist(), SAID[more], right[row],
        )  # fmt: skip


def _add_figure(section: SectionDraft, found: Choices) -> None:
    """Draw a dot with its interval for each layer, the first one on top, and a line at chance."""
    scores, at = found.scores, np.arange(len(found.layers))
    names = [ending(name, 26) for name in found.layers]

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        axes.hlines(at, 100 * scores.low, 100 * scores.high, color=theme.accent, linewidth=1.6)
        axes.plot(100 * scores.share, at, "o", color=theme.accent, markersize=5)
        axes.axvline(100 * CHANCE, color=theme.soft, linewidth=1, linestyle="--")
        axes.set_yticks(at, names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        first, last = around(100 * np.stack([scores.low, scores.high]), 100 * CHANCE)
        axes.set_xlim(first - 1, last + 1)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel("right, % of answers (dashed: by chance)")

    files = plot(section.folder, "scores", (3.5, 1.0 + 0.25 * len(names)), paint)
    evidence = Evidence(n=len(found.more), of="answers", interval="wilson")
    section.add(blocks.Figure(id="scores", caption="scores", data="choices.csv", evidence=evidence, **files))


def _parts(found: Choices) -> Iterator[LayerPart]:
    """Yield what is said of each layer and of its units."""
    for place, name in enumerate(found.layers):
        scores, mine = found.scores, found.layer == place
        evidence = Evidence(n=int(mine.sum()), of="answers", interval="wilson")
        ends = (float(scores.low[place]), float(scores.high[place]))
        facts = (
            Fact(name="score", value=float(scores.share[place]), form="share", evidence=evidence),
            Fact(name="ends", value=ends, form="interval", evidence=evidence),
        )
        units = []
        for unit in np.unique(found.unit[mine]).tolist():
            right = found.right[mine & (found.unit == unit)]
            units.append(UnitPart(unit=unit, facts=((int((right == 1).sum()), len(right)),)))
        yield LayerPart(layer=name, facts=facts, unit_facts=UNIT_FACTS, units=tuple(units))
