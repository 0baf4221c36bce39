"""Accuracy, confidence and calibration error against an attribute, bin by bin."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.formats.attributes import Attributes, Effect
from pipeline.store.tables import write_table

SIZE = (3.5, 3.0)  # inches
BINS = "bins.csv"
NUMBERS = (
    "images", "classes", "right", "accuracy", "accuracy_low", "accuracy_high", "confidence",
    "confidence_low", "confidence_high", "calibration_error",
)  # fmt: skip
WORD = 16  # letters of a word that a bin is called by, in a figure
COLUMNS = ("attribute", "bin", *NUMBERS[:6], "error_ratio", *NUMBERS[6:])


def chance(value: float) -> float:
    """Return a chance as people read it: two digits of it."""
    return float(f"{value:.2g}")


def bin_name(one: Effect, place: int) -> str:
    """Say which bin it is: its word, or its smallest and its largest value."""
    if one.bins.words is not None:
        return one.bins.words[place]
    low, high = (_short(values[place]) for values in (one.bins.low, one.bins.high))
    return low if low == high else f"{low} – {high}"


def bin_said(one: Effect, place: int) -> str:
    """Say it in a sentence, as in a figure; the first and the last bin of numbers need one end alone."""
    low, high = (_short(values[place]) for values in (one.bins.low, one.bins.high))
    if one.bins.words is not None or low == high or 0 < place < len(one.bins) - 1:
        return bin_label(one, place)
    return f"at most {high}" if place == 0 else f"at least {low}"


def bin_label(one: Effect, place: int) -> str:
    """Say it in a figure, where a long word is cut; of a number, what is left would be another one."""
    name = bin_name(one, place)
    return name if one.bins.words is None else short(name, WORD)


def _short(value: float) -> str:
    """Write a number with three significant digits, and no power of ten where it need not be."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def add_curves(section: SectionDraft, found: Attributes, evidence: Evidence, listed: int) -> None:
    """Draw the first attributes, a small figure each, and write the numbers of all."""
    rows = (_row(one, place, found) for one in found.effects for place in range(len(one.bins)))
    write_table(section.folder / BINS, COLUMNS, rows)
    figures = tuple(
        _curve(section, number, one, found, evidence) for number, one in enumerate(found.effects[:listed])
    )
    section.add(
        blocks.Multiples(
            id="curves", caption="curves", wide=True, figures=figures, numbers={"drawn": len(figures)}
        )
    )


def _row(one: Effect, place: int, found: Attributes) -> tuple[object, ...]:
    values = {name: getattr(one.bins, name)[place].item() for name in NUMBERS}
    ratio = (1 - values["accuracy"]) / (1 - found.right / found.images)
    named = {"attribute": one.name, "bin": bin_name(one, place), "error_ratio": ratio} | values
    return tuple(named[name] for name in COLUMNS)


def _curve(
    section: SectionDraft, number: int, one: Effect, found: Attributes, evidence: Evidence
) -> blocks.Figure:
    name = f"curve-{number}"
    files = plot(section.folder, name, SIZE, lambda figure, theme: _paint(figure, theme, one, found))
    bins = one.bins
    numbers = _ends(one) | {
        "attribute": one.name, "from": one.source, "smallest": int(bins.images.min()),
        "largest": int(bins.images.max()), "of_classes": int(bins.classes.sum()),
        "corrected": chance(one.corrected), "survives": int(one.corrected < found.level),
        "missing": found.images - int(bins.images.sum()),
    }  # fmt: skip
    if bins.by_class:
        evidence = Evidence(n=int(bins.classes.sum()), of="classes", split=found.split, interval="bootstrap")
    return blocks.Figure(id=name, caption="curve", data=BINS, numbers=numbers, evidence=evidence, **files)


def _ends(one: Effect) -> dict[str, Number]:
    """Return what the title says of the worst bin and of the best."""
    ends: dict[str, Number] = {}
    for name, place in (("worst", one.bins.worst), ("best", one.bins.best)):
        ends |= {name: bin_said(one, place), f"{name}_accuracy": float(one.bins.accuracy[place])}
    return ends


def _paint(figure: Figure, theme: Theme, one: Effect, found: Attributes) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(5, 2))
    bins, place = one.bins, np.arange(len(one.bins))
    upper.axhline(100 * found.right / found.images, color=theme.soft, linestyle="--", linewidth=1)
    for shift, mark, colour, name in (
        (-0.07, "o", theme.accent, "accuracy"), (0.07, "D", theme.contrast, "confidence")
    ):  # fmt: skip
        values, low, high = (100 * getattr(bins, part) for part in (name, f"{name}_low", f"{name}_high"))
        upper.vlines(place + shift, low, high, color=colour, linewidth=1.6)
        upper.plot(place + shift, values, mark, color=colour, markersize=5, label=name)
    upper.set_ylabel("%")
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    lower.bar(place, 100 * bins.calibration_error, width=0.5, color=theme.soft)
    lower.set_ylabel("error of\ncalibration, %", fontsize=8)
    labels = [bin_label(one, at) for at in place.tolist()]
    lower.set_xticks(place, labels, rotation=30, ha="right", rotation_mode="anchor", fontsize=8)
    lower.set_xlabel(short(one.name, 40))
    for axes in (upper, lower):
        axes.grid(axis="y")
        axes.set_axisbelow(True)
