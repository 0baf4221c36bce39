"""Where the network fails, attribute by attribute: the ranking, and what is said of single images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.dataset.isolation import isolated
from pipeline.figures.attribute_bins import add_curves, bin_name, bin_said, chance
from pipeline.figures.attribute_pairs import add_interaction
from pipeline.figures.drawing.canvas import Canvas, Edge, Label, Pixels, said_of
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.formats.attributes import Attributes, Effect
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

TILE, GAP, TEXT = 76, 4, 11  # pixels
ACROSS = 4  # tiles in a line, which fit a phone
BIN = 20  # letters of a bin's name, so that the line above them does
MOST = 24  # attributes in the overview
RIGHT, WRONG = "✓", "✗"
RANKING = "ranking.csv"
COLUMNS = (
    Column(name="attribute"), Column(name="corrected", form="number"), Column(name="beside", form="number"),
    Column(name="within", form="number"),
    Column(name="worst"), Column(name="accuracy", form="share"), Column(name="interval", form="interval"),
    Column(name="ratio", form="number"), Column(name="images", form="count"), Column(name="best"),
    Column(name="best_accuracy", form="share"),
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """An image: its path, what the network takes it for, whether that is right, and its picture.

    The picture is (TILE, TILE, 4) uint8; None where it is not an example.
    """

    path: str
    predicted: str
    right: bool
    tile: NDArray[np.uint8] | None


def add_attributes(
    section: SectionDraft, found: Attributes | Status, shown: Mapping[int, Shown], *, listed: int
) -> None:
    """Say what the network's mistakes go with, or why that is not known.

    Parameters
    ----------
    section
        Of the report.
    found
        From attributes.h5.
    shown
        By image id, of the images that are listed there.
    listed
        Attributes whose bins are drawn, the first ones.
    """
    if isinstance(found, Status):
        section.status = found
        return
    section.numbers |= _counted(found) | _told(found)
    if not found.effects:
        section.add(blocks.Notice(caption="nothing-varies"))
        return
    evidence = Evidence(n=found.images, split=found.split, interval="wilson")
    _add_ranking(section, found, evidence)
    add_curves(section, found, evidence, listed)
    if found.interaction:
        add_interaction(section, found)
    _add_examples(section, found, shown)
    section.images += _parts(found, shown)


def _counted(found: Attributes) -> dict[str, Number]:
    return {
        "counted": found.images, "accuracy": found.right / found.images, "split": found.split,
        "attributes": len(found.effects), "left_out": len(found.left_out),
        "left_out_names": ", ".join(found.left_out), "level": found.level, "repeats": found.repeats,
        "surviving": sum(one.corrected < found.level for one in found.effects),
        "by_class": sum(one.bins.by_class for one in found.effects), "chain": len(found.chain),
    }  # fmt: skip


def _told(found: Attributes) -> dict[str, Number]:
    """Return what the words say of the first attribute, and of the others beside it."""
    if not found.effects:
        return {}
    first = found.effects[0]
    told: dict[str, Number] = {
        "first": first.name, "first_worst": bin_said(first, first.bins.worst),
        "first_accuracy": float(first.bins.accuracy[first.bins.worst]),
        "first_best": bin_said(first, first.bins.best),
        "first_best_accuracy": float(first.bins.accuracy[first.bins.best]),
        "first_ratio": ratio(first, found), "first_corrected": first.corrected,
        "first_within": int(first.within < found.level), "first_by_class": int(np.isnan(first.within)),
    }  # fmt: skip
    if found.chain:
        others = [one for one in found.effects if one.name != found.chain[0] and not one.bins.by_class]
        # Of a step nothing is known but what was tested there.
        beside = [one.name for one in others if len(one.given) and one.given[0] < found.level]
        told |= {
            "strongest": found.chain[0], "beside": len(beside), "beside_names": " and ".join(beside),
            "others": len(others), "chain_names": ", ".join(found.chain),
            "after": _after(found),
        }  # fmt: skip
    return told


def _after(found: Attributes) -> int:
    """Return how many attributes survive beside the whole chain."""
    return sum(
        bool(len(one.given)) and one.name not in found.chain and bool(one.given[-1] < found.level)
        for one in found.effects
    )


def ratio(one: Effect, found: Attributes) -> float:
    """Return the mistakes in an attribute's worst bin, of those among all images."""
    return float((1 - one.bins.accuracy[one.bins.worst]) / (1 - found.right / found.images))


def _add_ranking(section: SectionDraft, found: Attributes, evidence: Evidence) -> None:
    rows = tuple(_row(one, found) for one in found.effects)
    beside = [f"beside_{step}" for step in _steps(found)]
    columns = ("attribute", "from", "strength", "chance", "corrected", "within", *beside)
    write_table(
        section.folder / RANKING, columns,
        ((one.name, one.source, one.strength, one.chance, one.corrected, one.within, *one.given.tolist())
         for one in found.effects),
    )  # fmt: skip
    effects = found.effects[:MOST]
    size = (4.0, 0.8 + 0.22 * len(effects))
    files = plot(section.folder, "overview", size, lambda f, t: _paint(f, t, effects, found))
    section.add(
        blocks.Figure(
            id="overview", caption="overview", data=RANKING, evidence=evidence,
            numbers={"drawn": len(effects)}, **files,
        ),
        blocks.Table(id="ranking", caption="ranking", columns=COLUMNS, rows=rows, evidence=evidence),
    )  # fmt: skip


def _steps(found: Attributes) -> range:
    return range(1, 1 + max((len(one.given) for one in found.effects), default=0))


def _row(one: Effect, found: Attributes) -> tuple[Cell, ...]:
    bins, worst, best = one.bins, one.bins.worst, one.bins.best
    beside = chance(one.given[0]) if len(one.given) and not np.isnan(one.given[0]) else None
    within = None if np.isnan(one.within) else chance(one.within)
    return (
        one.name, chance(one.corrected), beside, within, bin_name(one, worst),
        float(bins.accuracy[worst]),
        (float(bins.accuracy_low[worst]), float(bins.accuracy_high[worst])), ratio(one, found),
        int(bins.images[worst]), bin_name(one, best), float(bins.accuracy[best]),
    )  # fmt: skip


def _paint(figure: Figure, theme: Theme, effects: tuple[Effect, ...], found: Attributes) -> None:
    axes = figure.add_subplot()
    for place, one in enumerate(effects):
        bins, worst, best = one.bins, one.bins.worst, one.bins.best
        # A little apart, since their intervals may overlap.
        for which, colour, y in ((best, theme.accent, place + 0.13), (worst, theme.contrast, place - 0.13)):
            ends = 100 * bins.accuracy_low[which], 100 * bins.accuracy_high[which]
            axes.plot(ends, (y, y), color=colour, linewidth=1.6)
            axes.plot(100 * bins.accuracy[which], y, "o", color=colour, markersize=5.5)
    axes.axvline(100 * found.right / found.images, color=theme.soft, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(effects)), [short(one.name, 22) for one in effects])
    axes.set_ylim(len(effects) - 0.4, -0.6)
    axes.set_xlabel("accuracy, worst and best bin, %")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _add_examples(section: SectionDraft, found: Attributes, shown: Mapping[int, Shown]) -> None:
    figures = tuple(
        _draw(section, number, one, shown)
        for number, one in enumerate(found.effects)
        if (one.examples >= 0).any(1).all()
    )
    if figures:
        section.add(blocks.Multiples(id="examples", caption="examples", wide=True, figures=figures))


def _draw(section: SectionDraft, number: int, one: Effect, shown: Mapping[int, Shown]) -> blocks.Figure:
    """Draw the examples of an attribute's worst bin, and below them those of its best."""
    down, head = TILE + TEXT + 3 * GAP, TEXT + GAP
    step = head + -(-one.examples.shape[1] // ACROSS) * down + 2 * GAP
    canvas = Canvas(ACROSS * (TILE + GAP), 2 * step)
    pairs = (("worst", one.bins.worst, one.examples[1]), ("best", one.bins.best, one.examples[0]))
    for part, (word, place, ids) in enumerate(pairs):
        share = f"{100 * one.bins.accuracy[place]:.1f} % of {one.bins.images[place]:,}"
        text = f"{word}: {isolated(short(bin_name(one, place), BIN))}, {share} right"
        canvas.draw(Label(1, part * step, text, TEXT, bold=True))
        for nth, image_id in enumerate(ids[ids >= 0].tolist()):
            line, column = divmod(nth, ACROSS)
            x, y, image = 1 + column * (TILE + GAP), part * step + head + line * down, shown[image_id]
            assert image.tile is not None, "examples have pictures"
            canvas.draw(Pixels(x, y, image.tile), Edge(x, y, TILE, TILE))
            mark = f"{RIGHT if image.right else WRONG} "
            canvas.draw(Label(x, y + TILE + GAP, said_of(mark, image.predicted, TEXT, TILE), TEXT))
    name = f"examples-{number}"
    return blocks.Figure(
        id=name, caption="example", numbers={"attribute": one.name}, data=RANKING,
        **canvas.save(section.folder, name),
    )  # fmt: skip


def _parts(found: Attributes, shown: Mapping[int, Shown]) -> Iterator[ImagePart]:
    """Yield the attributes of each listed image."""
    for row, image_id in enumerate(found.listed.tolist()):
        if image_id in shown:
            facts = tuple(_facts(found, row))
            yield ImagePart(image_id=image_id, path=shown[image_id].path, facts=facts)


def _facts(found: Attributes, row: int) -> Iterator[Fact]:
    for name, values in found.values.items():
        value = values[row] if isinstance(values, list) else float(values[row])
        if isinstance(value, str):
            if value:
                yield Fact(name=name, value=value, form="text")
        elif np.isfinite(value):
            yield Fact(name=name, value=value)
