"""All numbers of the metrics, and all datasets of the artifacts, that differ."""

from collections.abc import Sequence
from itertools import groupby

from pipeline.compare import DIGESTS, NOT_HELD, Difference, compare
from pipeline.comparison.runs import HELPFUL, NEEDED, Run
from pipeline.contents import blocks
from pipeline.contents.values import Column
from pipeline.contents.writing import SectionDraft
from pipeline.report.provenance import read_metrics

COMPARED = tuple(name for name in (*NEEDED, *HELPFUL) if name.startswith("artifacts/"))


def add_metrics(section: SectionDraft, first: Run, second: Run) -> None:
    """List the metrics that differ; `UserError` names a file that cannot be read."""
    ours, theirs = (read_metrics(run.path("metrics")) for run in (first, second))
    names = sorted(ours.keys() | theirs.keys())
    rows = [(name, ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)]
    section.numbers |= {"metrics": len(names), "differing": len(rows)}
    if not rows:
        return
    columns = (
        Column(name="metric"), Column(name="first"), Column(name="second"),
        Column(name="difference", form="number"),
    )  # fmt: skip
    cells = tuple((name, _text(one), _text(other), _apart(one, other)) for name, one, other in rows)
    section.add(blocks.Table(id="metrics", caption="metrics", columns=columns, rows=cells))


def add_files(section: SectionDraft, first: Run, second: Run) -> None:
    """List the artifacts that differ; versions and digests do not count.

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    names = [name for name in COMPARED if name not in first.lacking and name not in second.lacking]
    found = {name: _held(compare(first.path(name), second.path(name))) for name in names}
    rows = tuple(row for name, differences in found.items() for row in _rows(name, differences))
    section.numbers |= {"files": len(names), "differing": len(rows)}
    if rows:
        columns = (Column(name="file"), Column(name="datasets", form="count"), Column(name="example"))
        section.add(blocks.Table(id="files", caption="files", columns=columns, rows=rows))


def _held(found: Sequence[Difference]) -> list[Difference]:
    return [difference for difference in found if not difference.is_like((*NOT_HELD, *DIGESTS))]


def _rows(name: str, found: Sequence[Difference]) -> list[tuple[str, int, str]]:
    """Return a line for each file of an artifact."""
    rows = []
    for file, group in groupby(found, key=lambda difference: difference.file):
        own = list(group)
        inner = "" if name.endswith(file) else f"/{file}"
        rows.append((name + inner, len(own), ": ".join(part for part in (own[0].name, own[0].how) if part)))
    return rows


def _apart(one: object, other: object) -> float | None:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return float(other) - float(one) if numbers else None  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    return None if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
