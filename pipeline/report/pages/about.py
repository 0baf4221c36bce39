"""The last chapter: what the report was made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.report.collecting import Chapter
from pipeline.report.environment import Frame
from pipeline.report.escaping import named
from pipeline.report.numbers import number
from pipeline.report.pages.chapters import write_chapter
from pipeline.report.pages.downloads import downloads
from pipeline.report.pages.graph import artifact_graph, name_of
from pipeline.report.provenance import Provenance
from pipeline.store.tables import write_table

SLUG = "about"
LONGEST_LIST = 20
SKIPPED, NOTED = ("path", "reason", "what was found"), ("path", "what is odd")


def write_about(frame: Frame, chapter: Chapter, provenance: Provenance, *, skipped_shown: int) -> None:
    """Write ``chapters/about.html``, and what it shows as files.

    Parameters
    ----------
    frame
        The report.
    chapter
        The last one; its sections stand before what every report says.
    provenance
        What it was all made from.
    skipped_shown
        Most rows of the tables of skipped and of odd images.
    """
    skipped, noted = provenance.images.skipped, provenance.images.noted
    tables = frame.report / "tables"
    write_table(tables / "skipped.csv", SKIPPED, skipped)
    if noted:
        write_table(tables / "noted.csv", NOTED, noted)
    write_table(tables / "metrics.csv", ("metric", "value"), list(provenance.metrics.items()))
    _write_json(tables / "provenance.json", _plain(provenance))
    values = {
        "provenance": provenance,
        "network": _network(provenance),
        "skipped": skipped[:skipped_shown],
        "noted": noted[:skipped_shown],
        "columns": {"skipped": SKIPPED, "noted": NOTED},
        "graph": artifact_graph(provenance.artifacts),
        "anchors": {artifact.name: f"artifact-{name_of(artifact.name)}" for artifact in provenance.artifacts},
        "downloads": downloads(frame.chapters, "../"),
    }
    write_chapter(frame, chapter, "about.html", values)


def _network(provenance: Provenance) -> list[tuple[str, Markup]]:
    """Return the network's description as names and HTML."""
    rows: list[tuple[str, Markup]] = []

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                add(f"{name}: {key}" if name else key, inner)
        elif isinstance(value, (list, tuple)):
            more = " …" if len(value) > LONGEST_LIST else ""
            rows.append((name, Markup(", ").join(named(str(item)) for item in value[:LONGEST_LIST]) + more))
        elif value is not None:
            rows.append((name, named(number(value) if isinstance(value, float) else str(value))))

    add("", provenance.network)
    return [(name.replace("_", " "), text) for name, text in rows]


def _plain(provenance: Provenance) -> dict[str, Any]:
    return {
        "images": asdict(provenance.images),
        "network": dict(provenance.network),
        "artifacts": [asdict(artifact) for artifact in provenance.artifacts],
        "versions": provenance.versions,
        "params": provenance.params,
        "metrics": dict(provenance.metrics),
    }


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
