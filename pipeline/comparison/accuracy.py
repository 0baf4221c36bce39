"""Whether one network is right more often, and whether that may be noise."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.comparison.answers import FIVE, Answers
from pipeline.comparison.shares import CHANCE, Difference, difference_of_means, difference_of_shares
from pipeline.contents import blocks
from pipeline.contents.values import Cell, Column, Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.numerics.contingency import holm
from pipeline.store.tables import write_table

# More rows than this cannot be read in a figure.
MOST_ROWS = 40
PER_CENT = 100


def add_accuracy(section: SectionDraft, answers: Answers, *, seed: int) -> None:
    """Add the measures that both runs have of the same images."""
    counted = answers.counted
    first, second = answers.first.some(counted), answers.second.some(counted)
    section.numbers |= {"evaluated": int(counted.sum()), "same": int(first.equals(second))}
    if not counted.any() or section.numbers["same"]:
        return
    measures = {"top-1 accuracy, %": difference_of_shares(first.label_rank == 0, second.label_rank == 0)}
    if answers.outputs > FIVE:
        pair = (first.label_rank < FIVE, second.label_rank < FIVE)
        measures["top-5 accuracy, %"] = difference_of_shares(*pair)
    measures["log loss, nats"] = difference_of_means(first.log_loss, second.log_loss, seed=seed)
    section.add(_table(measures, _evidence(answers)))
    accuracy = measures["top-1 accuracy, %"]
    section.numbers |= {
        "first_share": accuracy.first, "second_share": accuracy.second, "noise": int(accuracy.is_noise),
        "points": PER_CENT * accuracy.value, "low": PER_CENT * accuracy.low, "high": PER_CENT * accuracy.high,
    }  # fmt: skip
    _add_classes(section, answers)


def _evidence(answers: Answers) -> Evidence:
    return Evidence(n=int(answers.counted.sum()), split=answers.split)


def _table(measures: dict[str, Difference], evidence: Evidence) -> blocks.Table:
    columns = (
        Column(name="measure"), Column(name="first", form="number"), Column(name="second", form="number"),
        Column(name="difference", form="number"), Column(name="low", form="number"),
        Column(name="high", form="number"), Column(name="chance", form="number"), Column(name="verdict"),
    )  # fmt: skip
    rows = tuple(_row(name, found) for name, found in measures.items())
    return blocks.Table(id="measures", caption="measures", columns=columns, rows=rows, evidence=evidence)


def _row(name: str, found: Difference) -> tuple[Cell, ...]:
    scale = PER_CENT if name.endswith("%") else 1
    numbers = (found.first, found.second, found.value, found.low, found.high)
    verdict = "noise" if found.is_noise else "a change"
    return (name, *(scale * number for number in numbers), found.chance, verdict)


def _add_classes(section: SectionDraft, answers: Answers) -> None:
    """Compare the classes, each on its own images: McNemar's test, corrected for their number (Holm)."""
    label = answers.label[answers.counted]
    right = [one.some(answers.counted).label_rank == 0 for one in (answers.first, answers.second)]
    names = np.unique(label)
    found = [difference_of_shares(right[0][label == name], right[1][label == name]) for name in names]
    images = [int((label == name).sum()) for name in names]
    corrected = holm(np.array([one.chance for one in found], np.float64))
    rows = [
        (name, count, one.first, one.second, one.value, one.low, one.high, chance)
        for name, count, one, chance in zip(names.tolist(), images, found, corrected.tolist(), strict=True)
    ]
    columns = ("class", "images", "first", "second", "difference", "low", "high", "chance")
    write_table(section.folder / "classes.csv", columns, rows)
    section.numbers |= {
        "classes": len(names), "classes_changed": int((corrected < CHANCE).sum()),
        "class_chance": CHANCE,
    }  # fmt: skip
    shown = _most_different(found)
    chosen, clear = [found[place] for place in shown], corrected[shown] < CHANCE
    labels = [f"{short(names[place])}  ({images[place]})" for place in shown]
    files = plot(
        section.folder, "classes", (4.8, 0.9 + 0.24 * len(shown)),
        lambda figure, theme: _paint(figure, theme, labels, chosen, clear),
    )  # fmt: skip
    section.add(
        blocks.Figure(
            id="classes", caption="classes", data="classes.csv", evidence=_evidence(answers),
            numbers={"classes_shown": len(shown)}, **files,
        )
    )  # fmt: skip


def _most_different(found: list[Difference]) -> NDArray[np.int64]:
    """Return the places of the classes that are drawn, by rising difference: of many the largest ones."""
    values = np.array([one.value for one in found])
    largest = np.argsort(-np.abs(values), kind="stable")[:MOST_ROWS]
    return largest[np.argsort(values[largest], kind="stable")]


def _paint(
    figure: Figure, theme: Theme, labels: list[str], found: list[Difference], clear: NDArray[np.bool_]
) -> None:
    axes = figure.add_subplot()
    rows = np.arange(len(found))
    axes.axvline(0, color=theme.soft, linewidth=0.8)
    for row, one, is_clear in zip(rows, found, clear, strict=True):
        ink = theme.contrast if is_clear else theme.accent
        axes.plot([PER_CENT * one.low, PER_CENT * one.high], [row, row], color=ink, linewidth=1.4)
        axes.plot(PER_CENT * one.value, row, "D" if is_clear else "o", color=ink, markersize=5)
    axes.set_yticks(rows, labels)
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_xlabel("accuracy, percentage points more")
    axes.grid(axis="x")
