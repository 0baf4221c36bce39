"""The page that looks up a unit which was not drawn: its numbers and the names of its winners."""

from collections.abc import Sequence
from typing import Any, Literal

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.contents.slugs import layer_slug
from pipeline.report import cells
from pipeline.report.addresses import address, layer_page, section_anchor
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.environment import Frame
from pipeline.report.scripts import write_runs, write_script
from pipeline.report.shown import View, geometry_text
from pipeline.report.unit_shown import record
from pipeline.report.wording import line

Record = list[Any]


def write_lookup(frame: Frame, layers: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Write ``unit.html`` and its data, ``data/units.js``: of each layer its name and `write_undrawn`'s."""
    write_script(frame.report, "units", layers)
    frame.write("unit.html", "any-unit.html", {})


def write_undrawn(frame: Frame, layer: LayerEntry) -> dict[str, Any]:
    """Write the shards of a layer's units that were not drawn, and return what leads to them.

    A shard has for each unit a list with an entry for each section that speaks of the layer: the texts of the
    unit's facts, null where there is none, the rows of its table, its histogram (the path of its bars, both
    ends, how many values), and groups of other units; or 0 where the section says nothing of the unit.
    """
    units = layer.units
    folder = f"units/{layer_slug(layer.name)}"
    rest = [(unit.unit, _record(layer, unit)) for unit in units if not unit.drawn]
    return {
        "page": address(layer_page(layer.name)),
        "folder": folder,
        "units": layer.units_total,
        "geometry": geometry_text(layer.units_total, layer.geometry),
        "drawn": [unit.unit for unit in units if unit.drawn],
        "firsts": write_runs(frame.report, folder, rest),
        "sections": [_section(*part) for part in layer.parts],
    }


def _section(section: Worded, part: LayerPart) -> dict[str, Any]:
    about: dict[str, Any] = {
        "title": section.caption.title,
        "chapter": section_anchor(section.caption.chapter, section.name),
        "facts": [section.term(column.name) for column in part.unit_facts],
        "table": None,
        "histogram": _title(section, part, part.unit_histogram) if part.unit_histogram else "",
        "related": [_title(section, part, caption) for caption in part.unit_related],
    }
    if part.unit_table:
        words = section.caption.part(part.unit_table.caption)
        columns = View(section, "", {}).columns(part.unit_table.columns, words)
        image = [column.form == "image" for column in part.unit_table.columns]
        about["table"] = {
            "title": line(words, "title", section.numbers({"layer": part.layer})),
            "columns": [{**shown, "image": is_image} for shown, is_image in zip(columns, image, strict=True)],
        }
    return about


def _title(section: Worded, part: LayerPart, caption: str) -> str:
    known = {"layer": part.layer, **part.numbers}
    return line(section.caption.part(caption), "title", section.numbers(known))


def _record(layer: LayerEntry, unit: UnitEntry) -> Record:
    own = {section.name: part for section, _, part in unit.parts}
    return [numbers(about, own[section.name]) if section.name in own else 0 for section, about in layer.parts]


def numbers(about: LayerPart, part: UnitPart) -> Record | Literal[0]:
    """Return what a section says of a unit; 0 where that is nothing, so that no heading stands alone."""
    columns = about.unit_table.columns if about.unit_table else ()
    rows = [
        [
            # The path itself, and not as it is shown, leads to the page of the image.
            cell if column.form == "image" else cells.text(cell, column.form)
            for column, cell in zip(columns, row, strict=True)
        ]
        for row in part.rows
    ]
    facts = [
        None if cell is None else cells.text(cell, column.form)
        for column, cell in zip(about.unit_facts, part.facts, strict=True)
    ]
    said = [facts, rows, *record(about, part)]
    return said if any(fact is not None for fact in facts) or any(said[1:3]) or any(said[3]) else 0
