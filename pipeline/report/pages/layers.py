"""A page for each layer: all that any section says of it, and its units."""

from collections.abc import Sequence

from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Column
from pipeline.report import cells
from pipeline.report.addresses import address, layer_page, section_anchor, unit_page
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.environment import Frame
from pipeline.report.pages.units import with_neighbours
from pipeline.report.shown import Shown, View, geometry_text, unit_facts, unit_numbers


def write_layers(frame: Frame, layers: Sequence[LayerEntry]) -> None:
    """Write ``layers/<layer>.html``.

    Parameters
    ----------
    frame
        The report.
    layers
        In the order in which one leads to the next.
    """
    for before, layer, after in with_neighbours(layers):
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
    """Return a unit as the page of its layer shows it: a strip, its facts, and their ranks."""
    facts: list[tuple[str, str]] = []
    ranks: list[float | None] = []
    own = {section.name: part for section, _, part in unit.parts}
    for section, about in layer.parts:
        part = own.get(section.name)
        if part is None:
            ranks += [None] * len(about.unit_facts)
            continue
        facts += unit_facts(section, about, part)
        ranks += [cells.rank(cell) for cell in part.facts]
    page = address(unit_page(unit.layer, unit.unit, drawn=True))
    return {"unit": unit.unit, "page": page, "strip": _strip(unit), "facts": facts, "ranks": ranks}


def _strip(unit: UnitEntry) -> Shown | None:
    """Return the unit's first strip, before all others that of the pictures that its own page begins with."""
    strips = [(section, about, part) for section, about, part in unit.parts if part.strips]
    if not strips:
        return None
    section, about, part = next((one for one in strips if one[2].strips[0].tiles), strips[0])
    return View(section, "../", unit_numbers(unit.layer, about, part)).strip(about, part.strips[0])


def _orders(layer: LayerEntry) -> list[str]:
    """Return the names of what units can be sorted by, in the order of the cards' ranks."""
    return [
        section.term(column.name) if _sorts(column) else ""
        for section, part in layer.parts
        for column in part.unit_facts
    ]


def _sorts(column: Column) -> bool:
    return column.form in {"number", "count", "share", "proportion"}
