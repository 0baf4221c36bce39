"""How often the network is right, in pictures: by class, confusion, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.analyses.predictions.hardest import HARD, hardest
from pipeline.contents import blocks
from pipeline.contents.values import Column, Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.figures.evaluated_numbers import ends_of_classes, evaluated_numbers
from pipeline.formats.predictions import Calibration, Confusion
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

# More rows than this cannot be read on a page; tables say what matters then.
MOST_ROWS = 40
MOST_LISTED = 20


@dataclass(frozen=True)
class Evaluation:
    """Predictions against labels, counted.

    Attributes
    ----------
    name : tuple of str
        Of the K outputs, for people, each once.
    confusion
        Images by right output and predicted output.
    calibration
        Confidence against accuracy.
    held_out
        The split whose images were counted; empty: all labelled images were.
    """

    name: tuple[str, ...]
    confusion: Confusion
    calibration: Calibration
    held_out: str

    @property
    def labelled(self) -> NDArray[np.int64]:
        """(K,) int64, images of each right output."""
        return self._of_each(self.confusion.images)

    @property
    def right(self) -> NDArray[np.int64]:
        """(K,) int64, how many of them are predicted."""
        pairs = self.confusion
        return self._of_each(np.where(pairs.label == pairs.predicted, pairs.images, 0))

    @property
    def evidence(self) -> Evidence:
        """The images that were counted."""
        return Evidence(n=int(self.confusion.images.sum()), split=self.held_out, interval="wilson")

    def _of_each(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(self.confusion.label, images, len(self.name)).astype(np.int64)


def add_evaluation(section: SectionDraft, found: Evaluation) -> None:
    """Add figures and tables of what the network gets right; nothing where no image is labelled."""
    if not len(found.confusion.images):
        return
    section.numbers |= {"evaluated": found.evidence.n}
    section.numbers |= evaluated_numbers(found.name, found.confusion, found.calibration)
    _add_classes(section, found)
    _add_confusion(section, found)
    _add_calibration(section, found)


def _add_classes(section: SectionDraft, found: Evaluation) -> None:
    shown = np.flatnonzero(found.labelled)
    right, labelled = found.right[shown], found.labelled[shown]
    low, high = wilson(right, labelled)
    share = right / labelled
    names = [found.name[index] for index in shown]
    rows = list(zip(names, labelled, right, share, low, high, strict=True))
    write_table(section.folder / "classes.csv", ("class", "images", "right", "accuracy", "low", "high"), rows)
    if len(shown) <= MOST_ROWS:
        size = (4.4, 0.9 + 0.22 * len(shown))
        files = plot(
            section.folder, "classes", size, lambda f, t: _paint_classes(f, t, names, share, (low, high))
        )
        section.add(
            blocks.Figure(
                id="classes", caption="classes", data="classes.csv", evidence=found.evidence,
                numbers={"classes_shown": len(shown), **ends_of_classes(names, right, labelled)}, **files,
            )
        )  # fmt: skip
    else:
        _add_hardest(section, found, shown)


def _add_hardest(section: SectionDraft, found: Evaluation, shown: NDArray[np.int64]) -> None:
    """List those of the classes that are clearly hard; nothing where none is."""
    right, labelled = found.right[shown], found.labelled[shown]
    hard = hardest(right, labelled)
    if not len(hard):
        return
    low, high = wilson(right, labelled)
    columns = (
        Column(name="class", form="class"), Column(name="images", form="count"),
        Column(name="accuracy", form="share"), Column(name="interval", form="interval"),
    )  # fmt: skip
    section.add(
        blocks.Table(
            id="worst-classes", caption="worst-classes", columns=columns, evidence=found.evidence,
            numbers={
                "worst": min(len(hard), MOST_LISTED), "hard": len(hard), "labelled_classes": len(shown),
                "overall": float(right.sum() / labelled.sum()), "chance": HARD,
            },
            rows=tuple(
                (found.name[shown[i]], labelled[i], right[i] / labelled[i], (low[i], high[i]))
                for i in hard[:MOST_LISTED]
            ),
        )
    )  # fmt: skip


def _add_confusion(section: SectionDraft, found: Evaluation) -> None:
    pairs = found.confusion
    share = pairs.images / found.labelled[pairs.label]
    rows = [
        (found.name[label], found.name[predicted], images, part)
        for label, predicted, images, part in zip(
            pairs.label, pairs.predicted, pairs.images.tolist(), share.tolist(), strict=True
        )
    ]
    write_table(section.folder / "confusion.csv", ("label", "predicted", "images", "share"), rows)
    if np.count_nonzero(found.labelled) <= MOST_ROWS:
        drawn = square_of(found)
        matrix, columns, names = drawn.images, drawn.columns, drawn.rows
        size = (max(1.8 + 0.3 * len(columns), 3.4), max(1.4 + 0.3 * len(names), 3.0))
        files = plot(
            section.folder, "confusion", size, lambda f, t: _paint_confusion(f, t, matrix, columns, names)
        )
        section.add(
            blocks.Figure(
                id="confusion", caption="confusion", numbers={"folded": drawn.folded}, data="confusion.csv",
                evidence=found.evidence.model_copy(update={"interval": None}), **files,
            )
        )  # fmt: skip
    _add_errors(section, found)


def _add_errors(section: SectionDraft, found: Evaluation) -> None:
    pairs = found.confusion
    images, labelled = pairs.images, found.labelled[pairs.label]
    wrong = np.flatnonzero(pairs.label != pairs.predicted)
    wrong = wrong[np.lexsort((labelled[wrong], -images[wrong]))]
    shown = most_frequent(images[wrong].tolist())
    low, high = wilson(images, labelled)
    columns = (
        Column(name="label", form="class"), Column(name="predicted", form="class"),
        Column(name="share", form="proportion"), Column(name="interval", form="interval"),
    )  # fmt: skip
    if shown:
        section.add(
            blocks.Table(
                id="confused", caption="confused", numbers={"errors": len(wrong), "shown": shown},
                columns=columns, evidence=found.evidence,
                rows=tuple(
                    (
                        found.name[pairs.label[i]], found.name[pairs.predicted[i]],
                        (images[i], labelled[i]), (low[i], high[i]),
                    )
                    for i in wrong[:shown]
                ),
            )
        )  # fmt: skip


def most_frequent(counts: Sequence[int]) -> int:
    """Return how many of falling counts to list: those that are larger than every one that is left out."""
    if len(counts) <= MOST_LISTED:
        return len(counts)
    return sum(count > counts[MOST_LISTED] for count in counts[:MOST_LISTED])


@dataclass(frozen=True)
class Square:
    """The confusion as a picture has it.

    Attributes
    ----------
    images : (R, C) int64
    columns, rows
        Names.
    folded
        Outputs that the last column adds up; 0: each has a column of its own.
    """

    images: NDArray[np.int64]
    columns: list[str]
    rows: list[str]
    folded: int


def square_of(found: Evaluation) -> Square:
    """Lay the confusion out: a row each label, a column each of these and each further output predicted.

    Where that were more columns than can be read, the further outputs are added up in one.
    """
    labels = np.flatnonzero(found.labelled)
    further = np.setdiff1d(found.confusion.predicted, labels)
    folded = len(further) if len(labels) + len(further) > MOST_ROWS else 0
    place = np.full(len(found.name), len(labels))
    place[labels] = np.arange(len(labels))
    if not folded:
        place[further] = len(labels) + np.arange(len(further))
    columns = [found.name[index] for index in labels]
    others = "1 other output" if folded == 1 else f"{folded} other outputs"
    columns += [others] if folded else [found.name[index] for index in further]
    images = np.zeros((len(labels), len(columns)), np.int64)
    np.add.at(
        images, (place[found.confusion.label], place[found.confusion.predicted]), found.confusion.images
    )
    return Square(images, columns, [found.name[index] for index in labels], folded)


def _add_calibration(section: SectionDraft, found: Evaluation) -> None:
    bins = found.calibration
    filled = bins.count > 0
    right = np.where(filled, bins.accuracy * bins.count, 0)
    low, high = wilson(right, bins.count)
    columns = ("confidence", "accuracy", "low", "high", "images")
    data = (bins.confidence, bins.accuracy, low, high, bins.count.astype(int))
    rows = [row for row, kept in zip(zip(*data, strict=True), filled, strict=True) if kept]
    write_table(section.folder / "calibration.csv", columns, rows)
    files = plot(section.folder, "calibration", (4.2, 4.4), lambda f, t: _paint_calibration(f, t, found))
    gap = np.abs(bins.accuracy[filled] - bins.confidence[filled])
    error = float((gap * bins.count[filled]).sum() / bins.count.sum())
    section.numbers["ece"] = error
    section.add(
        blocks.Figure(
            id="calibration", caption="calibration", data="calibration.csv",
            numbers={"bins": len(filled), "filled": int(filled.sum())},
            evidence=found.evidence, **files,
        )
    )  # fmt: skip


def _paint_classes(
    figure: Figure,
    theme: Theme,
    names: Sequence[str],
    share: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    axes = figure.add_subplot()
    place = np.arange(len(names))
    axes.hlines(place, 100 * ends[0], 100 * ends[1], color=theme.accent, linewidth=2)
    axes.plot(100 * share, place, "o", color=theme.accent, markersize=5.5, clip_on=False)
    axes.set_yticks(place, [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(min(float(100 * ends[0].min()) - 2, 95), 100.5)
    axes.set_xlabel("accuracy, %")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _paint_confusion(
    figure: Figure, theme: Theme, matrix: NDArray[np.int64], columns: Sequence[str], rows: Sequence[str]
) -> None:
    axes = figure.add_subplot()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    diagonal = np.arange(matrix.shape[0])[:, None] == np.arange(matrix.shape[1])
    opacity = np.where(diagonal, share, np.sqrt(share))
    pixels = np.empty((*matrix.shape, 4))
    pixels[..., :3] = np.where(diagonal[..., None], to_rgb(theme.accent), to_rgb(theme.contrast))
    pixels[..., 3] = opacity
    axes.imshow(pixels, interpolation="nearest", aspect="equal")
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = theme.paper if opacity[row, column] > 0.55 else theme.ink
        text = f"{matrix[row, column]:,}"
        axes.text(
            column, row, text, ha="center", va="center", color=colour, fontsize=8 if len(text) < 4 else 6
        )
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    _name_cells(axes, columns, rows)


def _name_cells(axes: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Write names beside the rows and below the columns of a matrix, and draw lines between its cells."""
    axes.set_xticks(range(len(columns)), [short(name) for name in columns])
    if max(map(len, columns)) > 3:
        for label in axes.get_xticklabels():
            label.set(rotation=60, horizontalalignment="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), [short(name) for name in rows])
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", linewidth=0.7)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _paint_calibration(figure: Figure, theme: Theme, found: Evaluation) -> None:
    bins = found.calibration
    filled = bins.count > 0
    count, confidence, accuracy = (part[filled] for part in (bins.count, bins.confidence, bins.accuracy))
    low, high = wilson(accuracy * count, count)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot((0, 1), (0, 1), color=theme.soft, linewidth=1, linestyle=(0, (4, 3)))
    upper.vlines(confidence, low, high, color=theme.accent, linewidth=1.5)
    upper.scatter(confidence, accuracy, s=12 + 90 * count / count.max(), color=theme.accent, linewidths=0)
    upper.set_ylim(-0.02, 1.03)
    upper.set_ylabel("share of right predictions")
    lower.bar(
        bins.low, bins.count, bins.high - bins.low, align="edge", color=theme.accent,
        edgecolor=theme.paper, linewidth=0.8,
    )  # fmt: skip
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.7)
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.minorticks_off()
    lower.set_ylabel("images")
    lower.set_xlabel("confidence: probability of the predicted class")
    lower.set_xlim(-0.02, 1.02)
    for axes in (upper, lower):
        axes.grid(axis="y")
        axes.set_axisbelow(True)
