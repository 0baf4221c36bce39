"""A page for each drawn unit: its pictures and numbers first, then what else any section says of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.report.addresses import image_page, section_anchor, unit_page
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.environment import Frame
from pipeline.report.shown import Shown, View, unit_numbers
from pipeline.report.unit_shown import Units, histogram, images_of, marks, related, tile_windows

ROOT = "../../"


def write_units(frame: Frame, layer: LayerEntry, others: Units) -> None:
    """Write ``units/<layer>/<unit>.html`` for the drawn units of a layer.

    Parameters
    ----------
    frame
        The report.
    layer
        Whose units they are.
    others
        Of each unit that a page may lead to, its first pictures (`glimpses`).
    """
    drawn = [unit for unit in layer.units if unit.drawn]
    for before, unit, after in with_neighbours(drawn):
        shown = {"before": before and before.unit, "after": after and after.unit, **_page(unit, others)}
        frame.write(unit_page(unit.layer, unit.unit, drawn=True), "unit.html", shown)


def with_neighbours(items: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each item between the one before and the one after it, None at the ends."""
    return zip((None, *items), items, (*items[1:], None), strict=False)


def _page(unit: UnitEntry, others: Units) -> Shown:
    """Return what the page shows, in its order."""
    first = next((section for section, _, part in unit.parts if _has_tiles(part)), None)
    parts = [_part(*part, unit, others, heads=part[0] is first) for part in unit.parts]
    return {
        "layer": unit.layer,
        "unit": unit.unit,
        "looks": next((part["looks"] for part in parts if part["looks"]), None),
        "facts": [pair for part in parts for pair in part["facts"]],
        "sections": [part for part in parts if _has_more(part)],
        "aside": [part for part in parts if part["histogram"] or (part["table"] and part["table"]["aside"])],
        "folded": [part for part in parts if part["data"] or (part["table"] and not part["table"]["aside"])],
        "methods": [(part["title"], part["chapter"]) for part in parts],
    }


def _has_more(part: Shown) -> bool:
    return bool(part["strips"] or part["scenes"] or part["blocks"] or part["related"])


def _has_tiles(part: UnitPart) -> bool:
    return bool(part.strips and part.strips[0].tiles)


def _part(
    section: Worded, layer: LayerPart, part: UnitPart, unit: UnitEntry, others: Units, *, heads: bool
) -> Shown:
    """Return what a section says of the unit; of one that heads the page, pictures are not shown again."""
    view = View(section, ROOT, unit_numbers(unit.layer, layer, part))
    shown = view.unit(layer, part) | {
        "title": section.caption.title,
        "chapter": section_anchor(section.caption.chapter, section.name),
        "looks": None,
        "histogram": _histogram(view, layer, part, unit),
        "related": related(section, layer, part, others, ROOT),
        "data": view.file(layer.data) if layer.data else None,
    }
    if heads:
        shown |= {"looks": _looks(view, layer, part, shown), "strips": shown["strips"][1:], "scenes": None}
    return shown


def _histogram(view: View, layer: LayerPart, part: UnitPart, unit: UnitEntry) -> Shown | None:
    # Of one value alone there is nothing to see.
    if part.histogram is None or layer.unit_histogram is None or part.histogram.low == part.histogram.high:
        return None
    return view.words(layer.unit_histogram, layer.numbers) | histogram(part.histogram, marks(unit))


def _looks(view: View, layer: LayerPart, part: UnitPart, shown: Shown) -> Shown:
    """Return the unit's pictures, each as a patch and, where there is one, in its whole image."""
    strip = part.strips[0]
    assert strip.tiles is not None, "chosen so"
    sheet = layer.sheets[strip.sheet]
    tiles = tile_windows(sheet, strip, strip.tiles)
    scenes = shown["scenes"]["places"] if shown["scenes"] else []
    paths = images_of(layer, part)
    return {
        "sheet": view.file(sheet.file),
        "sheet_size": (sheet.width, sheet.height),
        "patches": shown["strips"][0],
        "scenes": shown["scenes"],
        "outlined": any(scene.get("outline") for scene in scenes),
        "columns": min(4, max(1, round(len(tiles) ** 0.5 + 0.4))),
        "places": [
            {
                "tile": tile,
                "scene": scenes[place] if place < len(scenes) else None,
                "page": _page_of(paths[place]) if place < len(paths) else None,
            }
            for place, tile in enumerate(tiles)
        ],
    }


def _page_of(path: str | None) -> str | None:
    return None if path is None else ROOT + image_page(path)
