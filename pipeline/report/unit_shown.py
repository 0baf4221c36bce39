"""What a unit's page shows besides what any part has: patches one by one, a histogram, other units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contents.parts import Histogram, LayerPart, SpriteSheet, Strip, Tiles, UnitLink, UnitPart
from pipeline.report import cells, numbers
from pipeline.report.addresses import address, unit_page
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.shown import Shown, View, percent, unit_numbers

# Of another unit so many pictures are shown.
GLIMPSE = 4
# Of a histogram: units of its drawing, which is stretched to the room that there is.
_WIDTH, _HEIGHT = 400, 100

Glimpse = tuple[Worded, SpriteSheet, Strip]
Units = Mapping[tuple[str, int], Glimpse | None]


def glimpses(layers: Sequence[LayerEntry]) -> dict[tuple[str, int], Glimpse | None]:
    """Return the first strip of every drawn unit; None where its pictures cannot be told apart."""
    return {
        (layer.name, unit.unit): glimpse_of(unit) for layer in layers for unit in layer.units if unit.drawn
    }


def glimpse_of(unit: UnitEntry) -> Glimpse | None:
    """Return the first strip of a unit whose pictures can be told apart, and where it is."""
    return next(
        (
            (section, layer.sheets[strip.sheet], strip)
            for section, layer, part in unit.parts
            for strip in part.strips
            if strip.tiles
        ),
        None,
    )


def tile_windows(sheet: SpriteSheet, strip: Strip, tiles: Tiles) -> list[Shown]:
    """Return each picture of a strip as a square window onto the sheet, in per cent of the window."""
    across = percent(sheet.width, tiles.side)
    places = (divmod(place, tiles.columns) for place in range(tiles.count))
    return [
        {
            "across": across,
            "left": percent(strip.x + tiles.edge + column * tiles.step, tiles.side),
            "top": percent(strip.y + tiles.edge + line * tiles.step, tiles.side),
        }
        for line, column in places
    ]


def related(section: Worded, layer: LayerPart, unit: UnitPart, units: Units, root: str) -> list[Shown]:
    """Return the groups of other units that a section names, each unit with its first pictures."""
    said = View(section, root, unit_numbers(layer.layer, layer, unit))
    return [
        said.words(caption, layer.numbers)
        | {"units": [_other(link, layer.layer, units, root) for link in group]}
        for caption, group in zip(layer.unit_related, unit.related, strict=False)
        if group
    ]


def _other(link: UnitLink, layer: str, units: Units, root: str) -> Shown:
    drawn, glimpse = link[:2] in units, units.get(link[:2])
    return {
        "layer": "" if link.layer == layer else link.layer,
        "unit": link.unit,
        "value": cells.text(link.value, "number"),
        "page": root + address_of(link, drawn=drawn),
        "drawn": drawn,
        "window": _first_tiles(*glimpse, root) if glimpse else None,
    }


def address_of(link: UnitLink, *, drawn: bool) -> str:
    """Return the page of another unit."""
    page = unit_page(link.layer, link.unit, drawn=drawn)
    return address(page) if drawn else page


def _first_tiles(section: Worded, sheet: SpriteSheet, strip: Strip, root: str) -> Shown:
    """Return a window onto the first pictures of a strip's first line."""
    assert strip.tiles is not None, "chosen so"
    tiles = strip.tiles
    count = min(GLIMPSE, tiles.count, tiles.columns)
    width = (count - 1) * tiles.step + tiles.side
    places = min(GLIMPSE, tiles.columns)
    return {
        "sheet": View(section, root, {}).file(sheet.file),
        "sheet_size": (sheet.width, sheet.height),
        "share": percent(width, (places - 1) * tiles.step + tiles.side),
        "ratio": f"{width} / {tiles.side}",
        "across": percent(sheet.width, width),
        "left": percent(strip.x + tiles.edge, width),
        "top": percent(strip.y + tiles.edge, tiles.side),
    }


def histogram(histogram: Histogram, marks: Sequence[float] = ()) -> Shown:
    """Return a histogram as SVG paths: bars whose heights are logarithmic, and a line for each mark."""
    most = math.log1p(max(histogram.counts)) or 1.0
    span = histogram.high - histogram.low or 1.0
    inside = (min(max((mark - histogram.low) / span, 0.0), 1.0) for mark in marks)
    return {
        "box": f"0 0 {_WIDTH} {_HEIGHT}",
        "bars": bars([math.log1p(count) / most for count in histogram.counts], _WIDTH, _HEIGHT),
        "marks": "".join(f"M{_WIDTH * place:.4g} 0v{_HEIGHT}" for place in inside),
        "marked": len(marks),
        "n": numbers.count(sum(histogram.counts)),
        "low": cells.text(histogram.low, "number"),
        "high": cells.text(histogram.high, "number"),
    }


def bars(heights: Sequence[float], width: int, height: int) -> str:
    """Return the path of bars side by side in a box, their heights from 0 to 1."""
    step = width / len(heights)
    return "".join(
        f"M{place * step:.4g} {height}v-{height * one:.3g}h{step:.4g}V{height}z"
        for place, one in enumerate(heights)
        if one
    )


def marks(unit: UnitEntry) -> list[float]:
    """Return the values of the unit's pictures: those of its scenes."""
    return [scene.value for _, _, part in unit.parts for scene in part.scenes]


def images_of(layer: LayerPart, unit: UnitPart) -> list[str | None]:
    """Return the paths of the images in a unit's table, in its order."""
    columns = layer.unit_table.columns if layer.unit_table else ()
    index = next((place for place, column in enumerate(columns) if column.form == "image"), None)
    if index is None:
        return []
    return [cell if isinstance(cell, str) else None for cell in (row[index] for row in unit.rows)]


def record(layer: LayerPart, unit: UnitPart) -> list[Any]:
    """Return histogram and groups as the page that looks units up reads them."""
    values = unit.histogram
    shown = histogram(values) if values and values.low < values.high else None
    groups = [[(*link[:2], cells.text(link.value, "number")) for link in group] for group in unit.related]
    return [shown and [shown["bars"], shown["low"], shown["high"], shown["n"]], groups]
