"""The section of patches: overviews of layers, strips of units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, Scene, SpriteSheet, Strip, UnitPart
from pipeline.contents.slugs import layer_file, layer_slug
from pipeline.contents.values import Evidence, Fact, Number
from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet
from pipeline.figures.drawing.strips import UnitTiles, patch_overview, patch_strip, strip_size, strip_tiles
from pipeline.figures.drawing.tiles import enlarged_side
from pipeline.figures.outlines import LayerOutlines
from pipeline.figures.whole_images import WholeImages
from pipeline.figures.winners import UNIT_FACTS, Names, count_tied, unit_table, winners_of
from pipeline.formats.patches import DrawnLayer, PatchesFile
from pipeline.numerics.geometry import BOUND, GLOBAL, UNKNOWN, ReceptiveField
from pipeline.numerics.spreading import even_places
from pipeline.parallel.threads import ordered
from pipeline.store.tables import write_table

COLUMNS = (
    "unit", "rank", "value", "input", "output_rank", "image_id", "path", "label",
    "y", "x", "x0", "y0", "x1", "y1", "count_active",
    "count_at_maximum", "images",
)  # fmt: skip


@dataclass(frozen=True)
class LayerFiles:
    """Draws the files of a layer into a section's folder, in a folder of the layer's own.

    Attributes
    ----------
    folder
        The section's.
    layer, drawn
        Its name, and what was drawn of it.
    source, names, whole_images
        Where patches, paths and labels, and the images that patches were cut from come from.
    outlines
        Where on these the units are active; None where that is not known.
    """

    folder: Path
    layer: str
    drawn: DrawnLayer
    source: PatchesFile
    names: Names
    whole_images: WholeImages
    outlines: LayerOutlines | None

    def draw(self, most: int, *, threads: int) -> LayerPart:
        """Draw a layer.

        Parameters
        ----------
        most : int
            Units in the overview; of more, a sample spread evenly.
        threads : int
            Sheets drawn at once; changes no result.

        Returns
        -------
        LayerPart
            What the section says of the layer and its units.
        """
        shown = set(even_places(len(self.drawn.unit), most).tolist())
        units: list[UnitPart] = []
        sheets: list[SpriteSheet] = []
        overview: list[UnitTiles] = []
        for tiles, sheet, strips in ordered(self._sheet, enumerate(self._jobs()), threads=threads):
            overview += [one for row, one in enumerate(tiles, start=len(units)) if row in shown]
            for one, strip in zip(tiles, strips, strict=True):
                units.append(self._unit(len(units), one, strip))
            sheets.append(sheet)
        data = layer_file(self.layer, "units.csv")
        write_table(self.folder / data, COLUMNS, self._records())
        return LayerPart(
            layer=self.layer,
            units_total=self.drawn.units,
            geometry=self.drawn.geometry,
            facts=_facts(self.drawn),
            blocks=(self._overview(overview),),
            data=data,
            sheets=tuple(sheets),
            unit_facts=UNIT_FACTS,
            unit_table=unit_table(ranked_by_input=self.drawn.input is not None),
            unit_scenes="unit-context",
            numbers=self._seen(),
            units=tuple(units),
        )

    def _jobs(self) -> Iterator[list[UnitTiles]]:
        """Yield the units of each sheet."""
        about = self.source.about
        step = strips_a_sheet(*strip_size(about.k, enlarged_side(about.size)))
        rows = range(len(self.drawn.unit))
        for start in range(0, len(rows), step):
            yield [self._tiles(row) for row in rows[start : start + step]]

    def _tiles(self, row: int) -> UnitTiles:
        """Read what is drawn of a unit, the one in this row of the layer's arrays."""
        patches = self.source.patches(self.layer, row)
        return UnitTiles(
            unit=int(self.drawn.unit[row]),
            value=self.drawn.key[row],
            patch=patches.pixels,
            mask=patches.mask,
            count_active=int(self.drawn.count_active[row]),
            images=self.source.about.images,
            passed_over=int(self.drawn.passed_over[row]),
        )

    def _sheet(self, job: tuple[int, list[UnitTiles]]) -> tuple[list[UnitTiles], SpriteSheet, list[Strip]]:
        """Draw the strips of some units on a sheet; return the units, the sheet, and the strips."""
        number, tiles = job
        drawn = [patch_strip(one) for one in tiles]
        name = layer_file(self.layer, f"patches-{number:03}.webp")
        width, height, edges = save_sheet(self.folder / name, [canvas.image() for canvas in drawn])
        strips = [
            Strip(
                caption="unit-patches", sheet=number, x=0, y=y, width=canvas.width, height=canvas.height,
                tiles=strip_tiles(one),
            )
            for one, canvas, y in zip(tiles, drawn, edges, strict=True)
        ]  # fmt: skip
        return tiles, SpriteSheet(file=name, width=width, height=height), strips

    def _unit(self, row: int, tiles: UnitTiles, strip: Strip) -> UnitPart:
        found = winners_of(self.drawn, row, slice(tiles.shown))
        ids, at_maximum = found.image_id.tolist(), int(self.drawn.count_at_maximum[row])
        never = blocks.Notice(caption="never-active", numbers={"images": tiles.images})
        return UnitPart(
            unit=tiles.unit,
            facts=found.facts(tiles.count_active, tiles.images, at_maximum, tiles.passed_over),
            strips=(strip,) if ids else (),
            scenes=self._scenes(row, ids, tiles.value.tolist()),
            rows=found.rows(self.names),
            blocks=tuple(found.notices(at_maximum)) if ids else (never,),
        )

    def _scenes(self, row: int, ids: Sequence[int], values: Sequence[float]) -> tuple[Scene, ...]:
        """Return the whole images of a unit's first places."""
        scenes = tuple(
            self.whole_images.scene(*place, marked=self._larger)
            for place in zip(ids, values, self.drawn.box[row], strict=False)
        )
        if self.outlines is None:
            return scenes
        placed = [self.whole_images.get(one) for one in ids]
        return self.outlines.add(scenes, placed, self.drawn.position[row], row)

    @property
    def _larger(self) -> bool:
        """Whether the receptive field is larger than the network's input."""
        return self.drawn.geometry.receptive_field.exceeds(self.source.about.input_size)

    def _seen(self) -> dict[str, Number]:
        """Return what the captions of a unit's patches and whole images are filled in with."""
        field = self.drawn.geometry.receptive_field
        outlined = self.outlines is not None and self.drawn.geometry.map_size != (1, 1)
        gated = self.outlines is not None and self.outlines.is_gated
        marked = self._larger or (self.outlines is not None and self.outlines.marks)
        return {
            "outlined": int(outlined), "larger": int(self._larger), "marked": int(marked),
            "gated": int(gated), "rf_status": field.status,
        }  # fmt: skip

    def _records(self) -> Iterator[Sequence[object]]:
        """A line of the table for each place that is filled."""
        drawn = self.drawn
        for row, unit in enumerate(drawn.unit.tolist()):
            for rank, image_id in enumerate(drawn.image_id[row].tolist()):
                if image_id >= 0:
                    yield (
                        unit, rank + 1, float(drawn.value[row, rank]), *self._by_input(row, rank), image_id,
                        self.names.path[image_id], self.names.label[image_id],
                        *drawn.position[row, rank].tolist(), *drawn.box[row, rank].tolist(),
                        int(drawn.count_active[row]), int(drawn.count_at_maximum[row]),
                        self.source.about.images,
                    )  # fmt: skip

    def _by_input(self, row: int, rank: int) -> tuple[float | None, int | None]:
        """What enters the activation, and the rank of what leaves it; None where the output ranks."""
        drawn = self.drawn
        if drawn.input is None or drawn.output_rank is None:
            return None, None
        return float(drawn.input[row, rank]), int(drawn.output_rank[row, rank]) + 1

    def _overview(self, units: Sequence[UnitTiles]) -> blocks.Figure:
        about = self.source.about
        field = receptive_field(self.drawn.geometry.receptive_field)
        canvas = patch_overview(units, self.layer, f"{field} · top {about.k} of {about.images:,} images")
        numbers = _numbers(self.layer, self.drawn) | {
            "shown": len(units),
            "hatched": int(any(not one.mask[: one.shown].all() for one in units)),
            "larger": int(self._larger),
        }
        return blocks.Figure(
            id=f"patches-{layer_slug(self.layer)}", caption="layer",
            numbers=numbers, data=layer_file(self.layer, "units.csv"), evidence=Evidence(n=about.images),
            **canvas.save(self.folder, layer_file(self.layer, "patches")),
        )  # fmt: skip


def receptive_field(field: ReceptiveField) -> str:
    """Say a layer's receptive field in the words of a picture's heading."""
    if field.status == GLOBAL:
        return "each position sees the whole network input"
    if field.status == UNKNOWN:
        return "receptive field unknown, the whole network input is shown"
    size, stride = (" × ".join(map(str, pair)) for pair in (field.size, field.stride))
    most = "at most " if field.status == BOUND else ""
    return f"receptive field {most}{size}, stride {stride} pixels of the network input"


def _facts(drawn: DrawnLayer) -> tuple[Fact, ...]:
    return (
        Fact(name="drawn", value=(len(drawn.unit), drawn.units), form="proportion"),
        Fact(name="never_active", value=(drawn.units_never_active, drawn.units), form="proportion"),
        Fact(name="passed_over", value=drawn.passed_over.sum(), form="count"),
    )


def _numbers(layer: str, drawn: DrawnLayer) -> dict[str, Number]:
    """Return what the captions of a layer's figures are filled in with."""
    field = drawn.geometry.receptive_field
    return {
        "layer": layer,
        "units": int(drawn.units),
        "drawn": len(drawn.unit),
        "never_active": int(drawn.units_never_active),
        "passed_over": int(drawn.passed_over.sum()),
        "by_input": int(drawn.input is not None),
        "tied": count_tied(drawn),
        "rf_status": field.status,
        "rf_size": field.size,
        "rf_stride": field.stride,
    }
