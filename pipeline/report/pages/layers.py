"""A page for each layer and one for each drawn unit: all that any section says of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Column
from pipeline.progress import Bar
from pipeline.report import cells
from pipeline.report.addresses import address, layer_page, section_anchor, unit_page
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.environment import Frame
from pipeline.report.shown import Shown, View, geometry_text, unit_facts, unit_numbers


def write_layers(frame: Frame, layers: Sequence[LayerEntry], bar: Bar) -> None:
    """Write ``layers/<layer>.html`` and ``units/<layer>/<unit>.html``.

    Parameters
    ----------
    frame
        The report.
    layers
        In the order in which one leads to the next.
    bar
        Advanced once for each drawn unit.
    """
    for before, layer, after in _with_neighbours(layers):
        units = layer.units()
        drawn = [unit for unit in units if unit.drawn]
        frame.write(
            layer_page(layer.name),
            "layer.html",
            {
                "name": layer.name,
                "geometry": geometry_text(layer.units_total, layer.geometry),
                "before": before.name if before else None,
                "after": after.name if after else None,
                "sections": [_section(*part) for part in layer.parts if _says_something(part[1])],
                "units": [_card(layer, unit) for unit in drawn],
                "undrawn": [
                    (unit.unit, unit_page(layer.name, unit.unit, drawn=False)) for unit in units if not unit.drawn
                ],
                "orders": _orders(layer),
            },
        )
        for previous, unit, following in _with_neighbours(drawn):
            _write_unit(frame, previous, unit, following)
            bar.advance()


def _write_unit(
    frame: Frame, before: UnitEntry | None, unit: UnitEntry, after: UnitEntry | None
) -> None:
    frame.write(
        unit_page(unit.layer, unit.unit, drawn=True),
        "unit.html",
        {
            "layer": unit.layer,
            "unit": unit.unit,
            "before": before.unit if before else None,
            "after": after.unit if after else None,
            "sections": [
                _heading(section)
                | View(section, "../../", unit_numbers(unit, layer, part)).unit(layer, part)
                for section, layer, part in unit.parts
            ],
        },
    )


def _section(section: Worded, part: LayerPart) -> Shown:
    view = View(section, "../", {"layer": part.layer})
    return _heading(section) | {
        "name": section.name,
        "facts": view.facts(part.facts),
        "blocks": view.blocks(part.blocks),
        "data": view.file(part.data) if part.data else None,
    }


def _says_something(part: LayerPart) -> bool:
    """Tell whether a section says anything of the layer as a whole besides its geometry."""
    return bool(part.facts or part.blocks or part.data)


def _heading(section: Worded) -> Shown:
    chapter = section_anchor(section.caption.chapter, section.name)
    return {"title": section.caption.title, "chapter": chapter}


def _card(layer: LayerEntry, unit: UnitEntry) -> Shown:
    """Return a unit as the page of its layer shows it: its first strip, its facts, and their ranks."""
    strip = None
    facts: list[tuple[str, str]] = []
    ranks: list[float | None] = []
    own = {section.name: part for section, _, part in unit.parts}
    for section, about in layer.parts:
        part = own.get(section.name)
        if part is None:
            ranks += [None] * len(about.unit_facts)
            continue
        if strip is None and part.strips:
            view = View(section, "../", unit_numbers(unit, about, part))
            strip = view.strip(about, part.strips[0])
        facts += unit_facts(section, about, part)
        ranks += [cells.rank(cell) for cell in part.facts]
    page = address(unit_page(unit.layer, unit.unit, drawn=True))
    return {"unit": unit.unit, "page": page, "strip": strip, "facts": facts, "ranks": ranks}


def _orders(layer: LayerEntry) -> list[str]:
    """Return the names of what units can be sorted by, in the order of the cards' ranks."""
    return [
        section.term(column.name) if _sorts(column) else ""
        for section, part in layer.parts
        for column in part.unit_facts
    ]


def _sorts(column: Column) -> bool:
    return column.form in {"number", "count", "share", "proportion"}


def _with_neighbours(items: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each item between the one before and the one after it, None at the ends."""
    return zip((None, *items), items, (*items[1:], None), strict=False)
