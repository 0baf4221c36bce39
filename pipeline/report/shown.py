"""What templates show of contents: words filled in, numbers written, files as addresses from the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.contents.blocks import Block, Figure, Images, Multiples, Table, Units, UnitTiles, Viewer
from pipeline.contents.parts import ImagePart, LayerPart, Scene, SpriteSheet, Strip, UnitPart, WholeImage
from pipeline.contents.values import Cell, Column, Fact, Form
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import BOUND, GLOBAL
from pipeline.report import cells, numbers
from pipeline.report.addresses import address, any_unit, image_page, layer_page, table_file, unit_page
from pipeline.report.captions import Words
from pipeline.report.collecting import Worded
from pipeline.report.escaping import named
from pipeline.report.wording import line, prose

Shown = dict[str, Any]


@dataclass(frozen=True)
class View:
    """A section as one page shows it.

    Attributes
    ----------
    section
        The section and its words.
    root
        What leads from the page to the report's folder, such as ``../``.
    over
        Numbers that the page knows besides the section's own: of the layer, of the unit.
    """

    section: Worded
    root: str
    over: Mapping[str, Any]

    def blocks(self, blocks: Sequence[Block]) -> list[Shown]:
        """Return what is shown of each block, in their order."""
        return [self.block(block) for block in blocks]

    def block(self, block: Block) -> Shown:
        """Return what is shown of a block."""
        words = self.section.caption.part(block.caption)
        shown: Shown = {"kind": block.kind, **self._said(words, block.numbers)}
        if isinstance(block, Figure):
            shown |= self._figure(block)
        elif isinstance(block, Multiples):
            figures = self.blocks(block.figures)
            shown |= {"id": self.anchor(block.id), "wide": block.wide, "figures": figures}
        elif isinstance(block, Table):
            shown |= self._table(block, words)
        elif isinstance(block, Units):
            shown |= {"id": self.anchor(block.id), "layers": self._layers(block)}
        elif isinstance(block, Images):
            shown |= {"id": self.anchor(block.id), "images": self._images(block)}
        elif isinstance(block, Viewer):
            shown |= {"id": self.anchor(block.id), "page": self.root + self.section.pages[block.id]}
        return shown

    def anchor(self, name: str) -> str:
        """Return the anchor of a block: no other section can have it, since no name has a slash."""
        return f"{self.section.name}/{name}"

    def file(self, name: str) -> str:
        """Return the address of a file of the section."""
        return self.root + address(self.section.folder + name)

    def facts(self, facts: Sequence[Fact]) -> list[tuple[str, str]]:
        """Return names and values; an image leads to its page."""
        return [(self.section.term(fact.name), self._fact(fact)) for fact in facts]

    def columns(self, columns: Sequence[Column], words: Words | None = None) -> list[Shown]:
        """Return the headings of a table."""
        return [
            {"name": self.section.term(column.name, words), "number": column.form in cells.NUMERIC}
            for column in columns
        ]

    def rows(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[list[Shown]]:
        """Return the cells of a table; an image leads to its page."""
        return [[self._cell(*pair) for pair in zip(columns, row, strict=True)] for row in rows]

    def unit(self, layer: LayerPart, unit: UnitPart) -> Shown:
        """Return what the section says of a unit."""
        table = layer.unit_table
        words = self.section.caption.part(table.caption) if table else None
        shown: Shown = {
            "facts": unit_facts(self.section, layer, unit),
            "strips": [self.strip(layer, strip) for strip in unit.strips],
            "scenes": self.scenes(layer, unit),
            "blocks": self.blocks(unit.blocks),
            "table": None,
        }
        if table and words and unit.rows:
            said = self._said(words, {}) | {"columns": self.columns(table.columns, words)}
            shown["table"] = said | {"rows": self.rows(table.columns, unit.rows), "aside": table.aside}
        return shown

    def strip(self, layer: LayerPart, strip: Strip) -> Shown:
        """Return a unit's pictures as a window onto their sheet, in per cent of the window."""
        said = self._said(self.section.caption.part(strip.caption), layer.numbers)
        return said | self._window(layer.sheets[strip.sheet], strip)

    def scenes(self, layer: LayerPart, unit: UnitPart) -> Shown | None:
        """Return the whole images in which a unit looked, each with the box that is framed in it."""
        if not layer.unit_scenes or not unit.scenes:
            return None
        words = self.section.caption.part(layer.unit_scenes)
        return self._said(words, layer.numbers) | {"places": [self._scene(scene) for scene in unit.scenes]}

    def _scene(self, scene: Scene) -> Shown:
        shown: Shown = {"value": cells.text(scene.value, "number"), "image": None}
        if scene.image is None:
            return shown
        whole = self.section.content.whole_images[scene.image]
        shown["image"] = self._window(self.section.content.sheets[whole.sheet], whole)
        return shown | {
            "box": _frame(scene.box, whole),
            "ungated": _frame(scene.ungated, whole) if scene.ungated else None,
            "point": scene.point,
            "outline": scene.outline,
        }

    def _window(self, sheet: SpriteSheet, part: Strip | WholeImage) -> Shown:
        return {
            "sheet": self.file(sheet.file),
            "sheet_size": (sheet.width, sheet.height),
            "width": part.width,
            "height": part.height,
            "across": percent(sheet.width, part.width),
            "left": percent(part.x, part.width),
            "top": percent(part.y, part.height),
        }

    def words(self, caption: str, over: Mapping[str, Any]) -> Shown:
        """Return title, alternative text and prose of a part of the caption file."""
        return self._said(self.section.caption.part(caption), over)

    def _said(self, words: Words, over: Mapping[str, Any]) -> Shown:
        known = self.section.numbers({**self.over, **over})
        return {
            "title": line(words, "title", known),
            "alt": line(words, "alt", known),
            "text": prose(words, known),
        }

    def _figure(self, block: Figure) -> Shown:
        names = ("image", "dark", "vector", "pdf", "data")
        files = {name: getattr(block, name) for name in names}
        return {name: self.file(file) if file else None for name, file in files.items()} | {
            "id": self.anchor(block.id),
            "width": block.width,
            "height": block.height,
            "tiles": self._tiles(block.tiles) if block.tiles else None,
            "evidence": cells.evidence_text(block.evidence) if block.evidence else "",
        }

    def _tiles(self, tiles: UnitTiles) -> Shown:
        """Return which units' pages the places of a picture lead to; of all units in order only how many."""
        units = list(tiles.units)
        all_in_order = units == list(range(len(units)))
        return {
            "page": self.root + any_unit(tiles.layer),
            "units": str(len(units)) if all_in_order else ",".join(map(str, [*units, ""])),
            "places": f"{tiles.rows},{tiles.columns},{tiles.corner}",
        }

    def _table(self, block: Table, words: Words) -> Shown:
        return {
            "id": self.anchor(block.id),
            "columns": self.columns(block.columns, words),
            "rows": self.rows(block.columns, block.rows),
            "file": self.root + address(table_file(self.section.name, block.id)),
            "evidence": cells.evidence_text(block.evidence) if block.evidence else "",
        }

    def _fact(self, fact: Fact) -> str:
        text = cells.fact_text(fact)
        if fact.form != "image" or not isinstance(fact.value, str):
            return text
        return Markup('<a href="{}">{}</a>').format(self.root + image_page(fact.value), named(text))

    def _cell(self, column: Column, cell: Cell) -> Shown:
        page = linked_page(cell, column.form) if isinstance(cell, str) else None
        return {
            "text": cells.text(cell, column.form),
            "link": self.root + page if page else None,
            "number": column.form in cells.NUMERIC,
        }

    def _layers(self, block: Units) -> list[Shown]:
        parts = {part.layer: part for part in self.section.content.layers}
        return [self._layer(parts[name]) for name in block.layers]

    def _layer(self, part: LayerPart) -> Shown:
        view = View(self.section, self.root, {**self.over, "layer": part.layer})
        return {
            "name": part.layer,
            "page": self.root + address(layer_page(part.layer)),
            "geometry": geometry_text(part.units_total, part.geometry),
            "facts": view.facts(part.facts),
            "blocks": view.blocks(part.blocks),
        }

    def _images(self, block: Images) -> list[Shown]:
        parts = {part.image_id: part for part in self.section.content.images}
        return [self._image(parts[image_id]) for image_id in block.images]

    def _image(self, part: ImagePart) -> Shown:
        view = View(self.section, self.root, {**self.over, "path": part.path})
        return {
            "path": part.path,
            "page": self.root + image_page(part.path),
            "facts": view.facts(part.facts),
            "blocks": view.blocks(part.blocks),
        }


def linked_page(name: str, form: Form) -> str | None:
    """Return the address of the page of an image, a layer or a unit; None for another name.

    A unit's is that of the page that looks it up, which leads on to its own where it was drawn.
    """
    if form == "image":
        return image_page(name)
    if form == "layer":
        return address(layer_page(name))
    if form == "unit":
        layer, _, unit = name.rpartition("/")
        return unit_page(layer, int(unit), drawn=False)
    return None


def unit_numbers(name: str, layer: LayerPart, unit: UnitPart) -> dict[str, Any]:
    """Return what captions about a unit may name: layer, unit, the rows of its table, and its facts."""
    facts = zip(layer.unit_facts, unit.facts, strict=True)
    known = {column.name: cell for column, cell in facts if cell is not None}
    return {**known, "layer": name, "unit": unit.unit, "rows": len(unit.rows)}


def unit_facts(section: Worded, layer: LayerPart, unit: UnitPart) -> list[tuple[str, str]]:
    """Return names and values of what is known of a unit in numbers; what there is not is left out."""
    pairs = zip(layer.unit_facts, unit.facts, strict=True)
    return [
        (section.term(column.name), cells.text(cell, column.form))
        for column, cell in pairs
        if cell is not None
    ]


def geometry_text(units: int | None, geometry: LayerGeometry | None) -> str:
    """Say how many units a layer has, how large its map is, and what a position sees, as far as known."""
    parts = [numbers.plural(units, "unit")] if units else []
    if geometry is not None:
        if geometry.map_size != (1, 1):
            parts.append(f"map {numbers.size(geometry.map_size)}")
        parts.append(_field(geometry))
    return ", ".join(parts)


def _field(geometry: LayerGeometry) -> str:
    field = geometry.receptive_field
    if field.is_whole:
        return "sees the whole image" if field.status == GLOBAL else "receptive field unknown"
    most = "at most " if field.status == BOUND else ""
    text = f"receptive field {most}{numbers.size(field.size)} px"
    return text if geometry.map_size == (1, 1) else f"{text}, stride {numbers.size(field.stride)}"


def percent(part: float, whole: float) -> str:
    """Say in CSS how much of a whole a part is."""
    return f"{100 * part / whole:.6g}%"


def _frame(box: tuple[float, float, float, float], whole: WholeImage) -> str:
    """Say in CSS where a box lies in a whole image."""
    x0, y0, x1, y1 = box
    places = {"left": x0, "width": x1 - x0}, {"top": y0, "height": y1 - y0}
    return "; ".join(
        f"{name}: {percent(value, side)}"
        for line, side in zip(places, (whole.width, whole.height), strict=True)
        for name, value in line.items()
    )
