"""Evolved fooling images: how sure the network is of them, how it became so, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot
from pipeline.figures.fooling_pictures import save_for_phones, sheet
from pipeline.formats.fooling import Fooling
from pipeline.formats.fooling_made import Evolved
from pipeline.numerics.spreading import even_places
from pipeline.store.tables import write_table

WORDS = {"direct": "pixel by pixel", "cppn": "drawn"}
TABLE = ("encoding", "output", "since", "predicted", "confidence")
COURSE = ("encoding", "generation", "least", "lower_quartile", "median", "upper_quartile", "most")
QUARTILES = (0, 0.25, 0.5, 0.75, 1)
NARROW = (3.5, 2.4)  # inches
MOST = 12  # pictures of a figure


def add_evolved(section: SectionDraft, found: Fooling, outputs: Sequence[str]) -> None:
    """Show the evolved images, where there are some, beside those that were made up the slope."""
    if not found.evolved:
        return
    wanted, made = found.about.confidence, found.ascended
    numbers: dict[str, Number] = {
        "ascent_reached": int((made.confidence >= wanted).sum()), "ascent_made": len(made.confidence),
    }  # fmt: skip
    for encoding, one in found.evolved.items():
        numbers |= {
            f"{encoding}_reached": int((one.confidence >= wanted).sum()),
            f"{encoding}_median": float(np.median(one.confidence)),
            f"{encoding}_last": float(np.median(one.course[-1])),
            "elites": len(one.target), "generations": int(one.generation[-1]),
            "offspring": int(one.offspring[0]),
        }  # fmt: skip
    _write_tables(section, found, outputs)
    elites = Evidence(n=sum(len(one.target) for one in found.evolved.values()), of="images")
    for name, data, paint in (
        ("evolved", "evolved.csv", _paint_shares), ("course", "course.csv", _paint_course),
    ):  # fmt: skip
        files = plot(section.folder, name, NARROW, partial(paint, found=found))
        section.add(
            blocks.Figure(id=name, caption=name, data=data, numbers=numbers, evidence=elites, **files)
        )
    pictures = [_pictures(section, encoding, one, outputs, wanted) for encoding, one in found.evolved.items()]
    section.add(blocks.Multiples(id="elites", caption="elites-all", wide=True, figures=tuple(pictures)))


def _write_tables(section: SectionDraft, found: Fooling, outputs: Sequence[str]) -> None:
    rows, course = [], []
    for encoding, one in found.evolved.items():
        columns = (one.target, one.since, one.predicted, one.confidence)
        for target, since, predicted, sure in zip(*(column.tolist() for column in columns), strict=True):
            rows.append((encoding, outputs[target], since, outputs[predicted], sure))
        quantiles = np.quantile(one.course.astype(np.float64), QUARTILES, axis=1).T
        pairs = zip(one.generation.tolist(), quantiles.tolist(), strict=True)
        course += [(encoding, generation, *values) for generation, values in pairs]
    write_table(section.folder / "evolved.csv", TABLE, rows)
    write_table(section.folder / "course.csv", COURSE, course)


def _paint_shares(figure: Figure, theme: Theme, found: Fooling) -> None:
    """Draw which share of the images the network is less sure of than each confidence."""
    axes = figure.add_subplot()
    confidences = {WORDS[encoding]: one.confidence for encoding, one in found.evolved.items()}
    confidences["up the slope"] = found.ascended.confidence
    styles, colours = ("-", "-", "--"), (theme.accent, theme.contrast, theme.ink)
    for (name, values), style, colour in zip(confidences.items(), styles, colours, strict=True):
        axes.ecdf(values, complementary=True, linestyle=style, color=colour, label=name, linewidth=1.6)
    axes.axvline(found.about.confidence, color=theme.soft, linewidth=1, linestyle=":")
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("confidence at least")
    axes.set_ylabel("share of images")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.legend(fontsize=8, loc="lower left")


def _paint_course(figure: Figure, theme: Theme, found: Fooling) -> None:
    axes = figure.add_subplot()
    for (encoding, one), colour in zip(found.evolved.items(), (theme.accent, theme.contrast), strict=True):
        low, middle, high = np.quantile(one.course.astype(np.float64), (0.25, 0.5, 0.75), axis=1)
        axes.fill_between(one.generation, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(one.generation, middle, color=colour, label=WORDS[encoding])
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("generation")
    axes.set_ylabel("confidence")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.legend(loc="lower right")


def _pictures(
    section: SectionDraft, encoding: str, one: Evolved, outputs: Sequence[str], wanted: float
) -> blocks.Figure:
    places = even_places(len(one.target), MOST)
    born = [f"generation {since}" for since in one.since[places].tolist()]
    said = [
        (outputs[target], float(sure))
        for target, sure in zip(one.target[places], one.confidence[places], strict=True)
    ]
    canvas = sheet(one.picture[places], said, born)
    name = f"evolved-{encoding}"
    numbers: dict[str, Number] = {
        "encoding": encoding, "made": len(one.target), "drawn": len(places), "wanted": wanted,
        "reached": int((one.confidence >= wanted).sum()), "median_since": float(np.median(one.since)),
        "generations": int(one.generation[-1]),
    }  # fmt: skip
    return blocks.Figure(
        id=name, caption="elites", data="evolved.csv", numbers=numbers, evidence=Evidence(n=len(one.target)),
        **save_for_phones(canvas, section.folder, name),
    )  # fmt: skip
