"""A page for each layer: all that any section says of it, and its units."""

from pipeline.contents.parts import LayerPart
from pipeline.contents.slugs import layer_slug
from pipeline.report.addresses import address, layer_page, section_anchor, unit_page
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.environment import Frame
from pipeline.report.layer_units import choices, distributions, record, sorted_numbers, unit_table
from pipeline.report.scripts import write_script
from pipeline.report.shown import Shown, View, geometry_text, unit_facts, unit_numbers


def write_layer(frame: Frame, before: LayerEntry | None, layer: LayerEntry, after: LayerEntry | None) -> None:
    """Write ``layers/<layer>.html``.

    Parameters
    ----------
    frame
        The report.
    before, layer, after
        The layer between the one that leads to it and the one that it leads to.
    """
    table = unit_table(layer)
    shown = distributions(table)
    drawn = [unit for unit in table.units if unit.drawn]
    data = f"layers/{layer_slug(layer.name)}"
    if table.units:
        write_script(frame.report, data, record(table))
        write_script(frame.report, f"{data}-numbers", sorted_numbers(table))
    frame.write(
        layer_page(layer.name),
        "layer.html",
        {
            "name": layer.name,
            "count": len(table.units),
            "geometry": geometry_text(layer.units_total, layer.geometry),
            "before": before.name if before else None,
            "after": after.name if after else None,
            "sections": [_section(*part) for part in layer.parts if _says_something(part[1])],
            "units": [_card(unit) for unit in drawn],
            "undrawn": [
                (unit.unit, unit_page(layer.name, unit.unit, drawn=False))
                for unit in table.units
                if not unit.drawn
            ],
            "distributions": shown,
            "orders": [(one["key"], one["name"]) for one in shown],
            "choices": choices(table),
            "data": data,
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


def _card(unit: UnitEntry) -> Shown:
    """Return a unit as the page of its layer shows it: a strip, and its facts."""
    facts = [fact for section, about, part in unit.parts for fact in unit_facts(section, about, part)]
    page = address(unit_page(unit.layer, unit.unit, drawn=True))
    return {"unit": unit.unit, "page": page, "strip": _strip(unit), "facts": facts}


def _strip(unit: UnitEntry) -> Shown | None:
    """Return the unit's first strip, before all others that of the pictures that its own page begins with."""
    strips = [(section, about, part) for section, about, part in unit.parts if part.strips]
    if not strips:
        return None
    section, about, part = next((one for one in strips if one[2].strips[0].tiles), strips[0])
    return View(section, "../", unit_numbers(unit.layer, about, part)).strip(about, part.strips[0])
