"""The units of a layer beside each other: how their numbers are distributed, and what they are sorted by."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.contents.values import Cell, Form
from pipeline.report import cells, numbers
from pipeline.report.collecting import LayerEntry, UnitEntry
from pipeline.report.escaping import visible
from pipeline.report.shown import Shown
from pipeline.report.unit_shown import bars

SORTED = frozenset({"number", "count", "share", "proportion"})
CHOSEN = frozenset({"text", "class"})
BINS = 24
# Of a distribution: units of its drawing, which is stretched to the room that there is.
_WIDTH, _HEIGHT = 240, 60


@dataclass(frozen=True)
class UnitColumn:
    """Something that is known of the units of a layer.

    Attributes
    ----------
    key
        In addresses: section and column.
    name
        As people read it.
    form
        Of its cells.
    """

    key: str
    name: str
    form: Form


@dataclass(frozen=True)
class UnitTable:
    """What is known of the units of a layer, of all sections: a row for each unit, a cell for each column."""

    columns: Sequence[UnitColumn]
    units: Sequence[UnitEntry]
    rows: Sequence[Sequence[Cell]]

    def column(self, place: int) -> list[Cell]:
        """Return the cells of a column."""
        return [row[place] for row in self.rows]


def unit_table(layer: LayerEntry) -> UnitTable:
    """Collect the facts of a layer's units from all sections."""
    columns = [
        UnitColumn(f"{section.name}.{column.name}", section.term(column.name), column.form)
        for section, part in layer.parts
        for column in part.unit_facts
    ]
    units = layer.units
    return UnitTable(columns, units, [_row(layer, unit) for unit in units])


def _row(layer: LayerEntry, unit: UnitEntry) -> list[Cell]:
    own = {section.name: part.facts for section, _, part in unit.parts}
    return [
        cell
        for section, part in layer.parts
        for cell in own.get(section.name) or (None,) * len(part.unit_facts)
    ]


def distributions(table: UnitTable) -> list[Shown]:
    """Return a small histogram of each column of numbers in which the units differ."""
    found = []
    for place, column in enumerate(table.columns):
        values = [value for cell in table.column(place) if (value := cells.rank(cell)) is not None]
        if column.form in SORTED and len(set(values)) > 1:
            found.append(_distribution(column, values))
    return found


def _distribution(column: UnitColumn, values: Sequence[float]) -> Shown:
    low, high = min(values), max(values)
    counts = [0] * BINS
    # Not by numpy, which refuses values that rounding alone tells apart.
    for value in values:
        counts[min(BINS - 1, int((value - low) / (high - low) * BINS))] += 1
    low_text, middle, high_text = (
        _number(value, column.form) for value in (low, statistics.median(values), high)
    )
    return {
        "key": column.key, "name": column.name, "box": f"0 0 {_WIDTH} {_HEIGHT}",
        "bars": bars([count / max(counts) for count in counts], _WIDTH, _HEIGHT),
        "low": low_text, "middle": middle, "high": high_text, "n": numbers.count(len(values)),
    }  # fmt: skip


def _number(value: float, form: Form) -> str:
    return numbers.share(value) if form in {"share", "proportion"} else numbers.cell(value)


def choices(table: UnitTable) -> list[Shown]:
    """Return the columns of words that units can be chosen by, each with its words and how often they are."""
    found = []
    for place, column in enumerate(table.columns):
        words = [cell for cell in table.column(place) if isinstance(cell, str)]
        if column.form in CHOSEN and words:
            counts = [(word, visible(word), words.count(word)) for word in sorted(set(words))]
            found.append({"key": column.key, "name": column.name, "words": counts})
    return found


def record(table: UnitTable) -> dict[str, Any]:
    """Return what the script of the page begins with.

    Of each unit: its number, whether it was drawn, its words, and the units most like it with how much,
    nearest first.
    """
    words = [place for place, column in enumerate(table.columns) if column.form in CHOSEN]
    return {
        "words": [table.columns[place].key for place in words],
        "units": [
            (unit.unit, int(unit.drawn), [row[place] for place in words], _near(unit))
            for unit, row in zip(table.units, table.rows, strict=True)
        ],
    }


def sorted_numbers(table: UnitTable) -> list[tuple[str, str, list[str], list[int | None]]]:
    """Return what units are sorted by, which the script loads once it is asked for.

    Of each column of numbers: its key, its name, and of each unit its text, and its place among their
    different values, None where there is none.
    """
    return [
        (column.key, column.name, _texts(table.column(place), column.form), _places(table.column(place)))
        for place, column in enumerate(table.columns)
        if column.form in SORTED
    ]


def _texts(column: Sequence[Cell], form: Form) -> list[str]:
    return ["" if cell is None else cells.text(cell, form) for cell in column]


def _places(column: Sequence[Cell]) -> list[int | None]:
    values = [cells.rank(cell) for cell in column]
    order = {one: place for place, one in enumerate(sorted({one for one in values if one is not None}))}
    return [None if one is None else order[one] for one in values]


def _near(unit: UnitEntry) -> list[tuple[int, str]]:
    """Return the units of the same layer that a section names first as alike."""
    for _, _, part in unit.parts:
        for group in part.related:
            if group and all(link.layer == unit.layer for link in group):
                return [(link.unit, cells.text(link.value, "number")) for link in group]
    return []
