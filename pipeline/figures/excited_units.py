"""The section of excited units: which units each probe excites most, and the same for every image's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from pipeline.contents.blocks import Figure, Table
from pipeline.contents.parts import ImageUnits
from pipeline.contents.values import Cell, Column, Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot
from pipeline.formats.excited_units import ExcitedUnits
from pipeline.formats.probes import Probes
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

SIZE = (3.5, 2.4)  # inches
SHOWN = 3  # units of each probe in the table
COLUMNS = (
    Column(name="image", form="image"), Column(name="unit", form="unit"), Column(name="value", form="number"),
    Column(name="as_strong", form="proportion"),
)  # fmt: skip


def add_excited_units(
    section: SectionDraft, found: ExcitedUnits | Status, paths: Sequence[str], probes: Probes | Status
) -> None:
    """Say which units images excite most, or why that is not known.

    Parameters
    ----------
    section
        Of the report.
    found
        From their artifact.
    paths
        (n,) of its images.
    probes
        That the chapter names.
    """
    if isinstance(found, Status):
        section.status = found
        return
    first = found.first
    section.numbers |= {
        "images": len(found.image_id), "of": found.images, "units": found.rank.shape[1],
        "compared": found.compared, "first": int((first == 1).sum()), "shown": SHOWN,
    }  # fmt: skip
    if found.compared:
        section.numbers["median"] = float(np.median(first))
        # Where every image stands equally high, as among few images and many units, there is no curve.
        if len(np.unique(first)) > 1:
            section.add(_ranks(section, first))
    units = {path: _flat(found, row) for row, path in enumerate(paths)}
    section.image_units = ImageUnits(layers=found.layers, of=found.images, units=units)
    if isinstance(probes, Status) or not found.compared:
        return
    rows = tuple(_rows(found, probes))
    evidence = Evidence(n=len({row[0] for row in rows}), of="probes")
    section.add(Table(id="probes", caption="probes", columns=COLUMNS, rows=rows, evidence=evidence))


def _ranks(section: SectionDraft, first: NDArray[np.int64]) -> Figure:
    """Draw how many images stand how high in their first unit."""
    rank, count = np.unique(first, return_counts=True)
    share = 100 * np.cumsum(count) / len(first)
    rows = zip(rank.tolist(), count.tolist(), strict=True)
    write_table(section.folder / "ranks.csv", ("images_that_excite_it_as_much", "images"), rows)

    def paint(figure: Canvas, theme: Theme) -> None:
        axes = figure.add_subplot()
        # Ranks are whole numbers: the last step is as long as any.
        axes.step([*rank, rank[-1] + 1], [*share, 100], where="post", color=theme.accent)
        axes.set_xscale("log")
        # Powers would be formulas, which are not set here.
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_minor_formatter("")
        axes.set_ylim(0, 102)
        axes.set_xlabel("images that excite it as much, at most")
        axes.set_ylabel("images, %")
        axes.grid(axis="y")
        axes.set_axisbelow(True)

    files = plot(section.folder, "ranks", SIZE, paint)
    return Figure(id="ranks", caption="ranks", data="ranks.csv", evidence=Evidence(n=len(first)), **files)


def _flat(found: ExcitedUnits, row: int) -> tuple[int, ...]:
    """Return layer, unit and rank of each of an image's units, one after the other."""
    columns = np.stack([found.layer[row], found.unit[row], found.rank[row]], 1)
    return tuple(columns[found.layer[row] >= 0].ravel().tolist())


def _rows(found: ExcitedUnits, probes: Probes) -> Iterator[tuple[Cell, ...]]:
    """Yield the lines of the probes' table."""
    row_of = {image_id: row for row, image_id in enumerate(found.image_id.tolist())}
    for image_id, path in zip(probes.image_id.tolist(), probes.path, strict=True):
        row = row_of.get(image_id, -1)
        for place in range(min(SHOWN, found.layer.shape[1]) if row >= 0 else 0):
            if found.layer[row, place] < 0:
                break
            unit = f"{found.layers[found.layer[row, place]]}/{found.unit[row, place]}"
            rank = (int(found.rank[row, place]), found.images)
            yield path, unit, float(found.value[row, place]), rank
