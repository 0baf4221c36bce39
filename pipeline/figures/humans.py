"""People beside the network: who is right how often, on which images only one is, and where people differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.figures.people_doubt import add_doubt, sureness
from pipeline.formats.humans import NETWORK, NONE, NOT_GIVEN, Humans
from pipeline.formats.status import Status
from pipeline.numerics.intervals import wilson
from pipeline.numerics.spreading import evenly_spread
from pipeline.store.tables import write_table

MOST_DRAWN = 24
# A cell of the table of agreement, in the order of its artifact, and its table of images.
LISTS = ("both-right", "only-person", "only-network", "both-wrong")
ANSWERS = ("path", "who", "condition", "label", "answer", "network", "confidence")
AGREEMENT = (
    Column(name="who"), Column(name="answers", form="count"), Column(name="both_right", form="count"),
    Column(name="only_person", form="count"), Column(name="only_network", form="count"),
    Column(name="both_wrong", form="count"), Column(name="same_error", form="count"),
)  # fmt: skip
TESTS = (
    Column(name="who"), Column(name="right", form="share"), Column(name="right_ends", form="interval"),
    Column(name="network", form="share"), Column(name="network_ends", form="interval"),
    Column(name="mcnemar", form="number"), Column(name="z", form="number"),
    Column(name="z_p", form="number"),
)  # fmt: skip
TOP5 = (
    Column(name="who"), Column(name="answers", form="count"), Column(name="top5", form="share"),
    Column(name="top5_ends", form="interval"), Column(name="network_top5", form="share"),
    Column(name="network_top5_ends", form="interval"),
)  # fmt: skip
PICTURED = (
    Column(name="path", form="image"), Column(name="who"), Column(name="label", form="class"),
    Column(name="answer", form="class"), Column(name="predicted", form="class"),
)  # fmt: skip
CONSISTENCY = ("first", "second", "kappa", "low", "high", "answers", "conditions")


@dataclass(frozen=True)
class Shown:
    """People's answers with the names that pages show.

    Attributes
    ----------
    found
        From humans.h5.
    path
        Of each image that people labelled.
    classes
        What people call the dataset's classes.
    learnt, unsure
        Of the images that are compared, how many the network was trained on, and how many it may have been.
    """

    found: Humans
    path: Mapping[int, str]
    classes: Sequence[str]
    learnt: int = 0
    unsure: int = 0

    @property
    def who(self) -> list[str]:
        """The raters' names; of a table of counts, that it is most of its people."""
        raters = self.found.raters
        pairs = zip(raters.name, raters.tabled.tolist(), strict=True)
        return [f"most people of {name}" if tabled else name for name, tabled in pairs]

    def said(self, guess: int) -> str:
        """Return the name of a guess."""
        return "none of them" if guess == NONE else self.classes[guess]

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """(R, 4) the cells of each rater, over all conditions."""
        return self.found.compared.cells.sum(axis=1)

    def rows(self) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        """Yield of each answer its cell, and what `ANSWERS` names, then further guesses.

        Answers on images without a label are left out.
        """
        answers, network = self.found.answers, self.found.network
        place = {image: row for row, image in enumerate(network.image_id.tolist())}
        columns = (answers.rater, answers.condition, answers.image_id, answers.guess, answers.confidence)
        for rater, condition, image, (guess, *further), sure in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            row = place.get(image)
            if row is None:
                continue
            label, predicted = int(network.label[row]), int(network.predicted[row])
            cell = 2 * int(guess != label) + int(not network.right[row])
            yield cell, (
                self.path[image], self.who[rater], self.found.conditions[condition], self.classes[label],
                self.said(guess), self.classes[predicted] if predicted >= 0 else "another output",
                sure, *(None if one == NOT_GIVEN else self.said(one) for one in further),
            )  # fmt: skip


def add_humans(section: SectionDraft, shown: Shown | Status, *, listed: int) -> None:
    """Compare people with the network, or say why there is no comparison.

    Parameters
    ----------
    section
        What it is added to.
    shown
        What people said.
    listed
        Lines of each list of images; files have all of them.
    """
    if isinstance(shown, Status):
        section.status = shown
        return
    rows = list(shown.rows())
    sure = np.array([line[ANSWERS.index("confidence")] for _, line in rows], np.float64)
    section.numbers |= _numbers(shown) | sureness(sure, np.array([cell < 2 for cell, _ in rows]))
    further = (f"answer_{place}" for place in range(2, shown.found.answers.guess.shape[1] + 1))
    columns = ("cell", *ANSWERS, *further)
    write_table(section.folder / "answers.csv", columns, ((LISTS[cell], *cells) for cell, cells in rows))
    _add_accuracy(section, shown)
    section.add(*_tables(shown))
    if len(shown.found.consistency.kappa) > 1:
        _add_consistency(section, shown)
    if shown.found.doubt is not None:
        add_doubt(section, shown.found.doubt)
    _add_lists(section, rows, listed, named=len(shown.who) > 1)
    section.images += _parts(shown)


def _add_lists(
    section: SectionDraft, rows: Sequence[tuple[int, tuple[Cell, ...]]], listed: int, *, named: bool
) -> None:
    """List the images behind each cell but that in which all is well; `named`: who said it."""
    columns = tuple(column for column in PICTURED if named or column.name != "who")
    for cell, name in enumerate(LISTS):
        of_cell = [
            (line[0], *(line[1:2] if named else ()), *line[3:6]) for place, line in rows if place == cell
        ]
        if of_cell and cell:
            numbers = {"found": len(of_cell), "listed": min(len(of_cell), listed)}
            section.add(
                blocks.Table(
                    id=name,
                    caption=name,
                    columns=columns,
                    # They stand by path, and so by class.
                    rows=tuple(evenly_spread(of_cell, listed)),
                    numbers=numbers,
                )
            )


def _numbers(shown: Shown) -> dict[str, Number]:
    found, totals = shown.found, shown.totals
    images, right, network = totals.sum(axis=1), totals[:, :2].sum(axis=1), totals[:, [0, 2]].sum(axis=1)
    low, high = wilson(right, images)
    network_low, network_high = wilson(network, images)
    told: dict[str, Number] = {
        "raters": len(images), "named": int((~found.raters.tabled).sum()),
        "tables": int(found.raters.tabled.sum()), "ties": int(found.raters.ties.sum()),
        "left_out": found.raters.left_out, "images": len(found.network.image_id),
        "answers": int(images.sum()), "unknown": found.unknown,
        "conditions": len(np.unique(found.answers.condition[~found.raters.tabled[found.answers.rater]])),
        "unlabelled": found.unlabelled, "who": shown.who[0], "first_images": int(images[0]),
        "learnt": shown.learnt, "unsure": shown.unsure,
    }  # fmt: skip
    shares = right[images > 0] / images[images > 0]
    told |= {"lowest": float(shares.min()), "highest": float(shares.max())}
    if images[0]:
        told |= {
            "right": right[0] / images[0], "right_ends": (float(low[0]), float(high[0])),
            "network": network[0] / images[0],
            "network_ends": (float(network_low[0]), float(network_high[0])),
            "p": float(found.compared.mcnemar[0]),
        }  # fmt: skip
    return told | _consistent(found)


def _consistent(found: Humans) -> dict[str, Number]:
    pairs = found.consistency
    told: dict[str, Number] = {}
    for name, mine in (("network", pairs.first == NETWORK), ("people", pairs.first != NETWORK)):
        told[f"kappas_{name}"] = int(mine.sum())
        if mine.any():
            kappa = pairs.kappa[mine]
            told |= {
                f"kappa_{name}": float(kappa.mean()), f"kappa_{name}_low": float(kappa.min()),
                f"kappa_{name}_high": float(kappa.max()),
            }  # fmt: skip
    if len(pairs.kappa):
        told["kappa_ends"] = (float(pairs.low[0]), float(pairs.high[0]))
    return told


def _add_accuracy(section: SectionDraft, shown: Shown) -> None:
    """Draw how often each rater is right, and the network on the same images."""
    totals = shown.totals
    rows = np.flatnonzero(totals.sum(axis=1))[:MOST_DRAWN]
    names = [short(shown.who[row], 26) for row in rows]
    groups = [
        (totals[rows][:, :2].sum(axis=1), "people"),
        (totals[rows][:, [0, 2]].sum(axis=1), "the network"),
    ]
    images = totals[rows].sum(axis=1)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for place, (right, name) in enumerate(groups):
            ends = wilson(right, images)
            _dots(axes, theme, 100 * right / images, [100 * end for end in ends], place, name)
        _name_rows(axes, names)
        axes.set_xlabel("right, % of the same images")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)

    files = plot(section.folder, "accuracy", (4.0, 1.3 + 0.3 * len(rows)), paint)
    evidence = Evidence(n=int(totals.sum()), of="answers", interval="wilson")
    section.add(
        blocks.Figure(
            id="accuracy", caption="accuracy", data="answers.csv", evidence=evidence, **files,
            numbers={"drawn": len(rows)},
        )
    )  # fmt: skip


def _dots(
    axes: Axes,
    theme: Theme,
    middle: NDArray[np.float64],
    ends: Sequence[NDArray[np.float64]],
    place: int,
    name: str,
) -> None:
    """Draw a dot with its interval in each row, above its middle or below it."""
    at, colour = np.arange(len(middle)) + 0.24 * (place - 0.5), (theme.accent, theme.contrast)[place]
    axes.hlines(at, ends[0], ends[1], color=colour, linewidth=1.6)
    axes.plot(middle, at, "oD"[place], color=colour, markersize=5, label=name, linestyle="none")


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _tables(shown: Shown) -> Iterator[blocks.Table]:
    found, totals = shown.found.compared, shown.totals
    rows = [row for row in range(len(totals)) if totals[row].any()]
    yield blocks.Table(
        id="agreement", caption="agreement", columns=AGREEMENT,
        rows=tuple(
            (shown.who[row], int(totals[row].sum()), *totals[row].tolist(), int(found.same_error[row]))
            for row in rows
        ),
    )  # fmt: skip
    yield blocks.Table(
        id="tests", caption="tests", columns=TESTS,
        rows=tuple(
            (
                shown.who[row], *_rate(totals[row, :2].sum(), totals[row].sum()),
                *_rate(totals[row, [0, 2]].sum(), totals[row].sum()), float(found.mcnemar[row]),
                float(found.z[row]), float(found.z_p[row]),
            )
            for row in rows
        ),
    )  # fmt: skip
    several = [row for row in rows if found.top5[row] >= 0]
    if several:
        yield blocks.Table(
            id="top-five", caption="top-five", columns=TOP5,
            rows=tuple(
                (
                    shown.who[row], int(totals[row].sum()), *_rate(found.top5[row], totals[row].sum()),
                    *_rate(found.network_top5[row], totals[row].sum()),
                )
                for row in several
            ),
        )  # fmt: skip


def _rate(right: int, images: int) -> tuple[float, tuple[float, float]]:
    """Return a share and its interval."""
    low, high = wilson(right, images)
    return float(right / images), (float(low), float(high))


def _add_consistency(section: SectionDraft, shown: Shown) -> None:
    """Draw how consistent the errors of each pair are."""
    pairs, who = shown.found.consistency, shown.who
    names = [("the network" if one == NETWORK else who[one], who[two])
             for one, two in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)]  # fmt: skip
    numbers = (pairs.kappa, pairs.low, pairs.high, pairs.images, pairs.conditions)
    lines = zip(names, *(column.tolist() for column in numbers), strict=True)
    write_table(section.folder / "consistency.csv", CONSISTENCY, ((*pair, *rest) for pair, *rest in lines))
    rows = np.arange(len(names))[:MOST_DRAWN]

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for place, mine in enumerate((pairs.first[rows] != NETWORK, pairs.first[rows] == NETWORK)):
            at, colour = rows[mine], (theme.accent, theme.contrast)[place]
            axes.hlines(at, pairs.low[at], pairs.high[at], color=colour, linewidth=1.6)
            label = ("two people", "a person and the network")[place]
            if len(at):
                axes.plot(pairs.kappa[at], at, "oD"[place], color=colour, label=label, linestyle="none")
        axes.axvline(0, color=theme.soft, linewidth=1, linestyle="--")
        _name_rows(axes, [f"{short(one, 16)} – {short(two, 16)}" for one, two in names[:MOST_DRAWN]])
        axes.set_xlabel("error consistency κ")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)

    files = plot(section.folder, "consistency", (4.0, 1.3 + 0.27 * len(rows)), paint)
    evidence = Evidence(n=int(pairs.images.sum()), of="pairs of answers", interval="bootstrap")
    section.add(
        blocks.Figure(
            id="consistency", caption="consistency", data="consistency.csv", evidence=evidence,
            numbers={"drawn": len(rows), "pairs": len(names), "alike": int((pairs.low > 0).sum())}, **files,
        )
    )  # fmt: skip


def _parts(shown: Shown) -> Iterator[ImagePart]:
    """Yield what people say of each image."""
    said: dict[int, Counter[str]] = {}
    answers, doubt = shown.found.answers, shown.found.doubt
    for image, guess in zip(answers.image_id.tolist(), answers.guess[:, 0].tolist(), strict=True):
        said.setdefault(image, Counter())[shown.said(guess)] += 1
    if doubt is not None:
        for row, image in enumerate(doubt.image_id.tolist()):
            counts = dict(zip(shown.classes, doubt.count[row].tolist(), strict=True))
            said[image] = Counter({**counts, shown.said(NONE): int(doubt.none[row])})
    for image, counts in sorted(said.items()):
        words = ", ".join(f"{name} {people}" for name, people in counts.most_common(3) if people)
        fact = Fact(name="people_say", value=f"{words}; {counts.total()} in all", form="text")
        yield ImagePart(image_id=image, path=shown.path[image], facts=(fact,))
