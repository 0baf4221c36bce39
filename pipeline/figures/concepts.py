"""The section of concepts: how well they are told from random images, and which outputs rise with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Cell, Column, Evidence, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.formats.concepts import About, ConceptsFile, LayerConcepts
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

CHANCE = 0.05
MOST_ROWS = 40
LEARNT = (
    Column(name="layer"), Column(name="concept"), Column(name="examples", form="count"),
    Column(name="accuracy", form="share"), Column(name="random_accuracy", form="share"),
)  # fmt: skip
SCORES = (
    "layer", "concept", "output", "images", "score", "deviation", "random_score", "random_deviation",
    "p_value", "slope", "random_slope", "random_slope_deviation", "slope_p_value",
)  # fmt: skip


def add_concepts(section: SectionDraft, found: ConceptsFile | Status) -> None:
    """Draw the section, or say why there is none."""
    if isinstance(found, Status):
        section.status = found
        return
    about = found.about
    layers = {name: found.layer(name) for name in about.layers}
    tests = int(sum(np.isfinite(layer.slope_p_value).sum() for layer in layers.values()))
    rows = [row for name, layer in layers.items() for row in _scores(name, layer, about)]
    write_table(section.folder / "scores.csv", SCORES, rows)
    section.add(_learnt(layers, about))
    for name, layer in layers.items():
        section.add(_figure(section, name, layer, about, tests))
        section.layers.append(LayerPart(layer=name, facts=_facts(layer, tests)))
    section.numbers |= {
        "concepts": len(about.concept), "layers": len(layers), "outputs": len(about.output), "tests": tests,
        "random_sets": len(layers[about.layers[0]].random_accuracy), "random_images": about.random_images,
        "clear": sum(_clear(layer, tests) for layer in layers.values()),
    }  # fmt: skip


def _clear(layer: LayerConcepts, tests: int) -> int:
    """Count the scores that differ from those of random sets, chance shared among all tests (Bonferroni)."""
    return int((layer.slope_p_value * tests < CHANCE).sum())


def _facts(layer: LayerConcepts, tests: int) -> tuple[Fact, ...]:
    clear = (_clear(layer, tests), layer.slope_p_value.size)
    return (Fact(name="clear", value=clear, form="proportion"),)


def _learnt(layers: dict[str, LayerConcepts], about: About) -> blocks.Table:
    """List how often examples are told from random images, beside random images from each other."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, concept, count, accuracy, layer.random_accuracy.mean())
        for name, layer in layers.items()
        for concept, count, accuracy in zip(
            about.concept, about.concept_images.tolist(), layer.accuracy.mean(1).tolist(), strict=True
        )
    )
    sets = len(next(iter(layers.values())).random_accuracy)
    return blocks.Table(
        id="learnt", caption="learnt", columns=LEARNT, rows=rows, evidence=Evidence(n=sets, of="random sets")
    )


def _scores(name: str, layer: LayerConcepts, about: About) -> Iterator[tuple[Cell, ...]]:
    """A line for each concept and output of a layer."""
    for row, concept in enumerate(about.concept):
        for place, output in enumerate(about.output):
            score, control = layer.score[row, :, place], layer.random_score[:, place]
            yield (
                name, concept, output, int(about.output_images[place]), float(score.mean()),
                float(score.std(ddof=1)), float(control.mean()), float(control.std(ddof=1)),
                float(layer.p_value[row, place]), float(layer.slope[row, place]),
                float(layer.random_slope[:, place].mean()), float(layer.random_slope[:, place].std(ddof=1)),
                float(layer.slope_p_value[row, place]),
            )  # fmt: skip


def _figure(
    section: SectionDraft, name: str, layer: LayerConcepts, about: About, tests: int
) -> blocks.Figure:
    rows = list(_scores(name, layer, about))
    clearest = np.argsort(np.nan_to_num(layer.slope_p_value.ravel(), nan=1), kind="stable")[:MOST_ROWS]
    shown = [rows[place] for place in np.sort(clearest)]
    slug = layer_slug(name)
    clear = (layer.slope_p_value.ravel() * tests < CHANCE)[np.sort(clearest)]
    paint = partial(_paint, rows=shown, clear=clear)
    files = plot(section.folder, f"{slug}-scores", (5.4, 1.1 + 0.22 * len(shown)), paint)
    sets = layer.score.shape[1]
    return blocks.Figure(
        id=f"scores-{slug}", caption="scores", data="scores.csv",
        numbers={
            "layer": name, "shown": len(shown), "of": layer.slope_p_value.size, "sets": sets,
            "clear": _clear(layer, tests), "tested": int(np.isfinite(layer.slope_p_value).sum()),
        },
        evidence=Evidence(n=sets, of="random sets"), **files,
    )  # fmt: skip


def _paint(figure: Figure, theme: Theme, rows: list[tuple[Cell, ...]], clear: NDArray[np.bool_]) -> None:
    """Draw the score of each concept and output, its deviation over the sets, and that of random sets."""
    axes = figure.add_subplot()
    place = np.arange(len(rows))
    score, spread, control, control_spread = np.array([row[4:8] for row in rows], float).T
    axes.barh(place, 2 * control_spread, 0.7, control - control_spread, color=theme.line)
    axes.plot(control, place, "|", color=theme.soft, markersize=10)
    axes.hlines(place, score - spread, score + spread, color=theme.accent, linewidth=2)
    for marked, fill in ((clear, theme.accent), (~clear, theme.paper)):
        axes.plot(score[marked], place[marked], "o", color=theme.accent, markerfacecolor=fill, markersize=5.5)
    axes.set_yticks(place, [f"{short(str(row[1]), 18)} → {short(str(row[2]), 18)}" for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of images on which the output rises with the concept")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
