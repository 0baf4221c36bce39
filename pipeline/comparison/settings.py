"""Which parameters differ."""

from collections.abc import Iterator
from typing import Any

import yaml

from pipeline.comparison.runs import Run
from pipeline.contents import blocks
from pipeline.contents.values import Column
from pipeline.contents.writing import SectionDraft
from pipeline.params import read_params

ABSENT = ""


def add_settings(section: SectionDraft, first: Run, second: Run) -> None:
    """List the parameters that differ; `UserError` as of `pipeline.params.read_params`."""
    ours, theirs = (dict(_flat("", read_params(run.path("params.yaml")))) for run in (first, second))
    differing = [key for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
    section.numbers["settings"] = len(differing)
    if differing:
        section.add(
            blocks.Table(
                id="settings", caption="settings",
                columns=(Column(name="parameter"), Column(name="first"), Column(name="second")),
                rows=tuple((key, ours.get(key, ABSENT), theirs.get(key, ABSENT)) for key in differing),
            )
        )  # fmt: skip


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield dotted names and values as YAML writes them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
        yield name, text.removesuffix("...\n").strip()
