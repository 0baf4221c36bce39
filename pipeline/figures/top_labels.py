"""The section of labels: of which classes each unit's strongest images are, of many more than are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, UnitPart, UnitTable
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.unit_distributions import Distribution
from pipeline.formats.status import Status
from pipeline.formats.units import About, UnitsFile
from pipeline.numerics.intervals import largest_count_by_chance, wilson

# Classes that a unit's table names.
SHOWN = 3
# Labelled images among a unit's strongest: of fewer, one class has many of them by chance.
LEAST = 5
UNIT_FACTS = (Column(name="leading", form="proportion"),)
TABLE = UnitTable(
    caption="classes",
    columns=(
        Column(name="class", form="class"),
        Column(name="strongest", form="proportion"),
        Column(name="interval", form="interval"),
        Column(name="dataset", form="share"),
    ),
    aside=True,
)
COLUMNS = (
    Column(name="layer"),
    Column(name="units", form="count"),
    Column(name="counted", form="count"),
    Column(name="median", form="share"),
    Column(name="by_chance", form="share"),
    Column(name="of_one_class", form="count"),
)


@dataclass(frozen=True)
class Labels:
    """The labels of the images that were ranked.

    Attributes
    ----------
    of : (M,) int32
        By row of the manifest, -1 where there is none.
    images : (C,) int64
        Of each class.
    name
        Of each class.
    """

    of: NDArray[np.int32]
    images: NDArray[np.int64]
    name: Sequence[str]

    @classmethod
    def among(cls, label: NDArray[np.int32], name: Sequence[str]) -> Labels:
        """Return labels (M,) with how many images each class has."""
        return cls(label, np.bincount(label[label >= 0], minlength=len(name)), name)

    @property
    def share(self) -> NDArray[np.float64]:
        """(C,) of each class among the labelled images."""
        return self.images / self.images.sum()


@dataclass(frozen=True)
class Counted:
    """The labels of a unit's strongest images.

    Attributes
    ----------
    labelled
        How many of them have one.
    label, count : (S,)
        The most frequent classes and how many images are of each, descending.
    """

    labelled: int
    label: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, image_id: NDArray[np.int64], labels: Labels) -> Counted:
        """Count the labels of images; -1 is no image."""
        found = labels.of[image_id[image_id >= 0]]
        label, count = np.unique(found[found >= 0], return_counts=True)
        order = np.argsort(-count, kind="stable")[:SHOWN]
        return cls(int(count.sum()), label[order].astype(np.int64), count[order])

    @property
    def leading(self) -> float:
        """The share of the most frequent class; NaN where no image has a label."""
        return self.count[0] / self.labelled if self.labelled else np.nan

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that a class among them says something: of one image all are of one."""
        return self.labelled >= LEAST

    @property
    def is_of_one_class(self) -> bool:
        """Whether the most frequent class is surely more than half of what excites the unit most."""
        return self.labelled > 0 and float(wilson(self.count[0], self.labelled)[0]) > 0.5

    def part(self, unit: int, labels: Labels) -> UnitPart:
        """Return what is said of the unit."""
        if not self.labelled:
            return UnitPart(unit=unit, facts=(None,))
        share = labels.share
        ends = zip(*wilson(self.count, np.full(len(self.count), self.labelled)), strict=True)
        rows = tuple(
            (labels.name[label], (count, self.labelled), tuple(interval), share[label])
            for label, count, interval in zip(self.label.tolist(), self.count.tolist(), ends, strict=True)
        )
        return UnitPart(unit=unit, facts=((int(self.count[0]), self.labelled),), rows=rows)


def add_top_labels(
    section: SectionDraft, found: UnitsFile | Status, label: NDArray[np.int32], names: Sequence[str]
) -> None:
    """Say of which classes each unit's strongest images are, or why that is not known.

    Parameters
    ----------
    section
        It is added to.
    found
        What units do, their strongest images by name among it.
    label : (M,) int32
        By row of the manifest, -1 where there is none.
    names
        Of the classes.
    """
    status = found if isinstance(found, Status) else _why_not(label)
    if isinstance(found, Status) or status:
        assert status is not None, "a status is one"
        section.status = status
        return
    labels, rows, leading = Labels.among(label, names), [], {}
    for name in found.about.layers:
        top = found.layer(name).top_image_id
        units = [Counted.of(images, labels) for images in top]
        leading[name] = np.array([unit.leading for unit in units if unit.is_enough])
        rows.append(_row(name, units, leading[name], labels))
        section.layers.append(_part(name, units, leading[name], labels, found.about))
    section.numbers |= _numbers(found.about, rows, labels) | {"top": top.shape[1]}
    if section.numbers["counted"]:
        section.add(_distribution(section, leading, rows))
    section.add(blocks.Table(
        id="layers", caption="layers", columns=COLUMNS, rows=tuple(rows),
        evidence=Evidence(n=found.about.images, interval="wilson"),
    ))  # fmt: skip


def _why_not(label: NDArray[np.int32]) -> Status | None:
    images = np.unique(label[label >= 0], return_counts=True)[1]
    if len(images) > 1 and images.max() > 1:
        return None
    what = "no image has a label"
    if len(images):
        what = "all labelled images are of one class" if len(images) == 1 else "no class has two images"
    remedy = "" if len(images) else ": give labels by class folders or a CSV (inputs/README.md)"
    return Status(
        "not applicable", f"{what}, so that no class can stand out among the strongest ones{remedy}"
    )


def _row(
    name: str, units: Sequence[Counted], leading: NDArray[np.float64], labels: Labels
) -> tuple[Cell, ...]:
    """Return a layer's line of the table; `leading` are the shares of its units with enough images."""
    if not len(leading):
        return (name, len(units), 0, None, None, 0)
    counts = [unit.labelled for unit in units if unit.is_enough]
    by_chance = {count: largest_count_by_chance(count, labels.images) / count for count in {*counts}}
    chance = float(np.median([by_chance[count] for count in counts]))
    of_one_class = sum(unit.is_of_one_class for unit in units)
    return (name, len(units), len(leading), float(np.median(leading)), chance, of_one_class)


def _distribution(
    section: SectionDraft, leading: Mapping[str, NDArray[np.float64]], rows: Sequence[tuple[Cell, ...]]
) -> blocks.Figure:
    """Draw how the share of the most frequent class is spread over the units of each layer."""
    values = {name: shares for name, shares in leading.items() if len(shares)}
    chance = {str(row[0]): row[4] for row in rows if isinstance(row[4], float)}
    axis = "strongest images of the most frequent class, %"
    drawn = Distribution("leading", axis, values, chance, whole=100)
    return drawn.figure(section.folder, drawn.middles())


def _part(
    name: str, units: Sequence[Counted], leading: NDArray[np.float64], labels: Labels, about: About
) -> LayerPart:
    evidence = Evidence(n=about.images, interval="wilson")
    of_one_class = (sum(unit.is_of_one_class for unit in units), len(units))
    facts = [Fact(name="of_one_class", value=of_one_class, form="proportion", evidence=evidence)]
    if len(leading):
        facts.insert(0, Fact(name="median", value=float(np.median(leading)), form="share"))
    return LayerPart(
        layer=name, facts=tuple(facts), unit_facts=UNIT_FACTS, unit_table=TABLE,
        units=tuple(one.part(unit, labels) for unit, one in enumerate(units)),
    )  # fmt: skip


def _numbers(about: About, rows: Sequence[tuple[Cell, ...]], labels: Labels) -> dict[str, Number]:
    units, counted, of_one_class = (sum(int(str(row[place])) for row in rows) for place in (1, 2, 5))
    return {
        "images": about.images,
        "labelled": about.labelled,
        "classes": int(np.count_nonzero(labels.images)),
        "units": units,
        "counted": counted,
        "of_one_class": of_one_class,
        "half_precision": int(about.precision != "float32"),
        "shown": SHOWN,
        "enough": LEAST,
        "largest": int(labels.images.max()),
    }
