"""The whole report: a folder that opens by double-click."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.progress import progress
from pipeline.report.captions import FOLDER as CAPTIONS
from pipeline.report.captions import Caption, read_caption
from pipeline.report.environment import write_page
from pipeline.report.numbers import number
from pipeline.report.provenance import Provenance
from pipeline.report.section import Layer, Number, Section
from pipeline.report.units import Chapter, write_units
from pipeline.report.viewer import map_values
from pipeline.report.wording import prose
from pipeline.store.replacing import replaced_folder
from pipeline.store.tables import write_table

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Texts:
    """What the person who runs the report chooses.

    Attributes
    ----------
    title
        Heading of every page.
    skipped_shown
        Most rows of the table of skipped images; all of them are in a CSV beside it.
    captions
        The folder of caption files.
    """

    title: str
    skipped_shown: int = 100
    captions: Path = CAPTIONS


def write_report(out: Path, sections: Sequence[Section], provenance: Provenance, texts: Texts) -> None:
    """Write a report into a folder, replacing what was there only when the new one is whole.

    Parameters
    ----------
    out
        The report's folder.
    sections
        What the render stages drew; each needs a caption file.
    provenance
        What it was all made from.
    texts
        Title and other choices.

    Raises
    ------
    UserError
        If a caption is missing or needs a number that no artifact gives, or two sections use one anchor.
    """
    captions = {item.content.section: read_caption(item.content.section, texts.captions) for item in sections}
    ordered = sorted(sections, key=lambda item: (captions[item.content.section].order, item.content.section))
    _check_anchors(ordered)
    with _replaced(out) as folder:
        shutil.copytree(ASSETS, folder / "assets")
        for section in ordered:
            shutil.copytree(section.folder, folder / "figures" / section.content.section)
        maps = {item.content.section: page for item in ordered if (page := _write_map(folder, item, texts))}
        chapters = [
            _chapter(folder, item, captions[item.content.section], provenance.metrics, maps)
            for item in ordered
        ]
        _write_index(folder, chapters, provenance, texts)
        _write_unit_pages(folder, ordered, captions, maps, texts)


def _write_unit_pages(
    folder: Path,
    sections: Sequence[Section],
    captions: Mapping[str, Caption],
    maps: Mapping[str, str],
    texts: Texts,
) -> None:
    total = sum(len(layer.units) for section in sections for layer in section.content.layers)
    with progress("pages of units", total=total, unit="pages") as bar:
        for section in sections:
            heading = captions[section.content.section].title
            write_units(folder, Chapter(section, texts.title, heading, next(iter(maps.values()), None)), bar)


def _check_anchors(sections: Sequence[Section]) -> None:
    """Pages and anchors of one report share their names; taken twice, one would hide the other."""
    owners: dict[str, str] = {"provenance": "the report", "content": "the report", "skipped": "the report"}
    for section in sections:
        content = section.content
        names = [content.section, *content.ids]
        names += [f"layer-{layer.slug}" for layer in content.layers]
        for name in names:
            if name in owners:
                raise UserError(
                    f"{section.folder}: id '{name}' is taken by {owners[name]}; name one of them otherwise"
                )
            owners[name] = f"section '{content.section}'"


def _chapter(
    folder: Path,
    section: Section,
    caption: Caption,
    metrics: Mapping[str, Number],
    maps: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the index shows of a section."""
    content = section.content
    owners = {figure.id: _owner(figure.id, content.layers) for figure in content.figures}
    return {
        "name": content.section,
        "title": caption.title,
        "text": prose(caption.words, {**content.numbers, "metrics": metrics}),
        "folder": f"figures/{content.section}/",
        "map_page": maps.get(content.section),
        "figures": [figure for figure in content.figures if owners[figure.id] is None],
        "tables": _write_tables(folder, section),
        "layers": [
            {**dict(layer), "figures": [item for item in content.figures if owners[item.id] is layer]}
            for layer in content.layers
        ],
    }


def _owner(figure: str, layers: Sequence[Layer]) -> Layer | None:
    """Return the layer that a figure belongs to: its id is that of the layer's figure, or begins with it."""
    own = [layer for layer in layers if layer.figure and f"{figure}-".startswith(f"{layer.figure}-")]
    return max(own, key=lambda layer: len(layer.figure or ""), default=None)


def _write_tables(folder: Path, section: Section) -> list[dict[str, Any]]:
    """Write each table of a section as CSV and return it with its file."""
    found = []
    for table in section.content.tables:
        file = Path("tables") / f"{table.id}.csv"
        write_table(folder / file, table.columns, table.rows)
        found.append({"item": table, "file": file.as_posix()})
    return found


def _write_map(folder: Path, section: Section, texts: Texts) -> str | None:
    """Write the page of a section's interactive map; None where it has none."""
    if section.content.viewer is None:
        return None
    page = f"{section.content.section}-map.html"
    values = {"root": "", "title": texts.title, "chapter": section.content.section}
    write_page(folder / page, "map.html", values | map_values(section))
    return page


def _write_index(
    folder: Path, chapters: Sequence[Mapping[str, Any]], provenance: Provenance, texts: Texts
) -> None:
    skipped = provenance.images.skipped
    write_table(folder / "tables" / "skipped.csv", ("path", "reason"), skipped)
    write_table(folder / "tables" / "metrics.csv", ("metric", "value"), list(provenance.metrics.items()))
    _write_json(folder / "tables" / "provenance.json", _plain(provenance))
    write_page(
        folder / "index.html",
        "index.html",
        {
            "root": "",
            "title": texts.title,
            "chapters": chapters,
            "provenance": provenance,
            "network": _network(provenance),
            "skipped": {"rows": skipped[: texts.skipped_shown], "file": "tables/skipped.csv"},
            "metrics_file": "tables/metrics.csv",
            "provenance_file": "tables/provenance.json",
        },
    )


def _network(provenance: Provenance) -> list[tuple[str, str]]:
    """Return the network's description as names and texts."""
    rows: list[tuple[str, str]] = []

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                add(f"{name}: {key}" if name else key, inner)
        elif isinstance(value, (list, tuple)):
            rows.append(
                (name, ", ".join(str(item) for item in value[:20]) + (" …" if len(value) > 20 else ""))
            )
        elif value is not None:
            rows.append((name, number(value) if isinstance(value, float) else str(value)))

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


@contextmanager
def _replaced(out: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `out` when all went well."""
    if out.exists() and any(out.iterdir()) and not (out / "assets" / "site.js").is_file():
        raise UserError(f"{out}: holds something that is not a report; move it away, or give another folder")
    with replaced_folder(out) as partial:
        yield partial
