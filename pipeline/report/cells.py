"""The cells of tables and facts as text, each by the form of its column."""

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.contents.values import Cell, Evidence, Fact, Form
from pipeline.report import numbers
from pipeline.report.escaping import visible

# Forms that stand at the right of their column, digit below digit.
NUMERIC = frozenset({"count", "number", "share", "interval", "proportion", "position", "box", "size"})
INTERVALS = {"wilson": "Wilson", "bootstrap": "bootstrap"}


def text(cell: Cell, form: Form) -> str:
    """Write a cell; a dash where there is nothing."""
    return numbers.NONE if cell is None else _WRITERS[form](cell)


def fact_text(fact: Fact) -> str:
    """Write a fact, and what it is of where it says so."""
    of = f" ({evidence_text(fact.evidence)})" if fact.evidence else ""
    return text(fact.value, fact.form) + of


def rank(cell: Cell) -> float | None:
    """Return the number that a cell is sorted by; None for a name, or where there is nothing."""
    if isinstance(cell, tuple):
        count, *of = cell
        return count / of[0] if of and of[0] else float(count)
    return None if cell is None or isinstance(cell, str) else float(cell)


def evidence_text(evidence: Evidence) -> str:
    """Say what numbers are of: how many things, of which split, and how their intervals are found."""
    of = evidence.of.removesuffix("s") if evidence.n == 1 else evidence.of
    parts = [f"n = {numbers.count(evidence.n)} {of}"]
    if evidence.split:
        parts.append(f"split “{visible(evidence.split)}”")
    if evidence.interval:
        parts.append(f"{numbers.share(evidence.level, 0)} intervals ({INTERVALS[evidence.interval]})")
    return ", ".join(parts)


def _joined(cell: Sequence[Any]) -> str:
    return ", ".join(numbers.count(value) for value in cell)


def _box(cell: Sequence[float]) -> str:
    return ", ".join(numbers.decimals(edge, 1).removesuffix(".0") for edge in cell)


def _proportion(cell: Sequence[Any]) -> str:
    count, of = cell
    whole = f"{numbers.count(count)} of {numbers.count(of)}"
    return f"{whole} ({numbers.share(count / of)})" if of else whole


_WRITERS: dict[Form, Callable[[Any], str]] = {
    "text": numbers.cell,
    "image": visible,
    "layer": visible,
    "unit": lambda cell: "{}, unit {}".format(*visible(cell).rsplit("/", 1)),
    "class": visible,
    "count": numbers.count,
    "number": numbers.cell,
    "share": numbers.share,
    "interval": numbers.interval,
    "proportion": _proportion,
    "position": _joined,
    "box": _box,
    "size": numbers.size,
}
