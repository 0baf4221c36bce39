"""A page for each layer and each of its units, to be linked to from anywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.progress import Bar
from pipeline.report.environment import write_page
from pipeline.report.section import Layer, Section, Unit


@dataclass(frozen=True)
class Chapter:
    """What pages of units need to know of the section that they belong to.

    Attributes
    ----------
    heading
        The section's title.
    map_page
        The page of the map to show an image on, relative to the report; None where there is no map.
    """

    section: Section
    title: str
    heading: str
    map_page: str | None


def write_units(out: Path, chapter: Chapter, bar: Bar) -> None:
    """Write ``units/<layer>/index.html`` and ``<unit>.html`` for each layer of a section.

    Parameters
    ----------
    out
        The report's folder.
    chapter
        The section and its surroundings.
    bar
        Advanced once for each page of a unit.
    """
    layers = chapter.section.content.layers
    for before, layer, after in _with_neighbours(layers):
        folder = out / "units" / layer.slug
        folder.mkdir(parents=True)
        shared = _shared(chapter, layer)
        write_page(folder / "index.html", "layer.html", shared | {"before": before, "after": after})
        for previous, unit, following in _with_neighbours(layer.units):
            values = shared | {
                "unit": unit,
                "before": previous.unit if previous else None,
                "after": following.unit if following else None,
                "rows": _rows(unit),
            }
            write_page(folder / f"{unit.unit}.html", "unit.html", values)
            bar.advance()


def _shared(chapter: Chapter, layer: Layer) -> dict[str, Any]:
    name, figures = chapter.section.content.section, chapter.section.content.figures
    return {
        "root": "../../",
        "title": chapter.title,
        "chapter": name,
        "chapter_title": chapter.heading,
        "folder": f"../../figures/{name}/",
        "map_page": chapter.map_page,
        "layer": layer,
        "data": next((item.data for item in figures if item.id == layer.figure), None),
    }


def _with_neighbours(items: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each item between the one before and the one after it, None at the ends."""
    return zip((None, *items), items, (*items[1:], None), strict=False)


def _rows(unit: Unit) -> list[dict[str, Any]]:
    """Return what a unit's table shows, one row a rank."""
    positions = unit.positions or (None,) * len(unit.values)
    columns = zip(unit.values, unit.paths, unit.labels, positions, unit.boxes, strict=True)
    return [
        {
            "value": value,
            "path": path,
            "label": label,
            "position": position,
            "box": ", ".join(f"{edge:.1f}".removesuffix(".0") for edge in box),
        }
        for value, path, label, position, box in columns
    ]
