"""The section of patches: overviews of layers, strips of units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitPart, UnitTable
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Column, Evidence, Fact, Number
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet
from pipeline.figures.drawing.strips import (
    ContextTile,
    UnitTiles,
    context_overview,
    context_strip,
    patch_overview,
    patch_strip,
    strip_size,
)
from pipeline.figures.drawing.tiles import enlarged_side
from pipeline.formats.patches import DrawnLayer, PatchesFile
from pipeline.numerics.geometry import BOUND, GLOBAL, UNKNOWN, ReceptiveField
from pipeline.parallel.threads import ordered
from pipeline.store.tables import write_table

COLUMNS = (
    "unit", "rank", "value", "image_id", "path", "label",
    "y", "x", "x0", "y0", "x1", "y1", "count_active", "images",
)  # fmt: skip
UNIT_FACTS = (
    Column(name="highest", form="number"),
    Column(name="active", form="proportion"),
    Column(name="lowest", form="number"),
    Column(name="passed_over", form="count"),
)
WINNERS = UnitTable(
    caption="winners",
    columns=(
        Column(name="value", form="number"),
        Column(name="image", form="image"),
        Column(name="label", form="class"),
        Column(name="position", form="position"),
        Column(name="box", form="box"),
    ),
)


@dataclass(frozen=True)
class Names:
    """Path and label of the images that are shown.

    Attributes
    ----------
    path
        Image id to path in the dataset.
    label
        Image id to class name; None for an image without a label.
    """

    path: dict[int, str]
    label: dict[int, str | None]


@dataclass(frozen=True)
class LayerFiles:
    """Draws the files of a layer into a section's folder, in a folder of the layer's own.

    Attributes
    ----------
    folder
        The section's.
    layer, drawn
        Its name, and what was drawn of it.
    source, names
        Where patches, paths and labels come from.
    """

    folder: Path
    layer: str
    drawn: DrawnLayer
    source: PatchesFile
    names: Names

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
        count = len(self.drawn.unit)
        shown = set(np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist())
        units: list[UnitPart] = []
        sheets: list[SpriteSheet] = []
        overview: list[UnitTiles] = []
        for tiles, made, strips in ordered(self._sheets, self._jobs(), threads=threads):
            overview += [one for row, one in enumerate(tiles, start=len(units)) if row in shown]
            for one, pair in zip(tiles, strips, strict=True):
                units.append(self._unit(len(units), one, pair))
            sheets += made
        data = self._file("units.csv")
        write_table(self.folder / data, COLUMNS, self._records())
        return LayerPart(
            layer=self.layer,
            units_total=self.drawn.units,
            geometry=self.drawn.geometry,
            facts=_facts(self.drawn),
            blocks=self._figures(overview),
            data=data,
            sheets=tuple(sheets),
            unit_facts=UNIT_FACTS,
            unit_table=WINNERS,
            units=tuple(units),
        )

    def _file(self, ending: str) -> str:
        """Name a file of the layer; the folder keeps it apart from those of layers with longer names."""
        slug = layer_slug(self.layer)
        return f"{slug}/{slug}-{ending}"

    def _jobs(self) -> Iterator[tuple[int, list[UnitTiles]]]:
        """Yield the number of each pair of sheets, patches and contexts, and the units on it."""
        about = self.source.about
        sizes = [strip_size(about.k, side) for side in (enlarged_side(about.size), about.picture)]
        step = min(strips_a_sheet(*size) for size in sizes)
        rows = range(len(self.drawn.unit))
        for number, start in enumerate(range(0, len(rows), step)):
            yield number, [self._tiles(row) for row in rows[start : start + step]]

    def _tiles(self, row: int) -> UnitTiles:
        """Read what is drawn of a unit, the one in this row of the layer's arrays."""
        patches = self.source.patches(self.layer, row)
        places = zip(self.drawn.image_id[row].tolist(), self.drawn.box[row], strict=True)
        return UnitTiles(
            unit=int(self.drawn.unit[row]),
            value=self.drawn.value[row],
            patch=patches.pixels,
            mask=patches.mask,
            context=[self._context(*place) for place in places],
            count_active=int(self.drawn.count_active[row]),
            images=self.source.about.images,
            passed_over=int(self.drawn.passed_over[row]),
        )

    def _context(self, image_id: int, box: NDArray[np.float32]) -> ContextTile | None:
        found = self.source.context(image_id)
        if found is None:
            return None
        offset, scale = np.tile(found.offset, 2), found.scale
        return ContextTile(found.pixels, box * scale + offset, np.asarray(found.view) * scale + offset)

    def _sheets(
        self, job: tuple[int, list[UnitTiles]]
    ) -> tuple[list[UnitTiles], tuple[SpriteSheet, SpriteSheet], list[tuple[Strip, Strip]]]:
        """Draw the strips of some units on a pair of sheets; return the units, the sheets, and the strips."""
        number, tiles = job
        patches, patch_strips = self._sheet(2 * number, "patches", [patch_strip(one) for one in tiles])
        contexts, context_strips = self._sheet(
            2 * number + 1, "context", [context_strip(one, self.source.about.picture) for one in tiles]
        )
        return tiles, (patches, contexts), list(zip(patch_strips, context_strips, strict=True))

    def _sheet(self, place: int, kind: str, drawn: Sequence[Canvas]) -> tuple[SpriteSheet, list[Strip]]:
        """Write the sheet that has this place among the layer's."""
        name = self._file(f"{kind}-{place // 2:03}.webp")
        width, height, edges = save_sheet(self.folder / name, [canvas.image() for canvas in drawn])
        strips = [
            Strip(
                caption=f"unit-{kind}", sheet=place, x=0, y=y, width=canvas.width, height=canvas.height
            )
            for canvas, y in zip(drawn, edges, strict=True)
        ]  # fmt: skip
        return SpriteSheet(file=name, width=width, height=height), strips

    def _unit(self, row: int, tiles: UnitTiles, strips: tuple[Strip, Strip]) -> UnitPart:
        values = self.drawn.value[row, : tiles.shown]
        ids = self.drawn.image_id[row, : tiles.shown].tolist()
        never = blocks.Notice(caption="never-active", numbers={"images": tiles.images})
        paths, labels = [self.names.path[one] for one in ids], [self.names.label[one] for one in ids]
        places = zip(values, paths, labels, self.drawn.position[row], self.drawn.box[row], strict=False)
        return UnitPart(
            unit=tiles.unit,
            facts=(
                values[0] if len(ids) else None,
                (tiles.count_active, tiles.images),
                values[-1] if len(ids) else None,
                tiles.passed_over,
            ),
            strips=strips if len(ids) else (),
            rows=tuple(places),
            blocks=() if len(ids) else (never,),
        )

    def _records(self) -> Iterator[Sequence[object]]:
        """A line of the table for each place that is filled."""
        drawn = self.drawn
        for row, unit in enumerate(drawn.unit.tolist()):
            for rank, image_id in enumerate(drawn.image_id[row].tolist()):
                if image_id >= 0:
                    yield (
                        unit, rank, float(drawn.value[row, rank]), image_id,
                        self.names.path[image_id], self.names.label[image_id],
                        *drawn.position[row, rank].tolist(), *drawn.box[row, rank].tolist(),
                        int(drawn.count_active[row]), self.source.about.images,
                    )  # fmt: skip

    def _figures(self, units: Sequence[UnitTiles]) -> tuple[blocks.Figure, blocks.Figure]:
        """Draw the overviews."""
        about = self.source.about
        field = receptive_field(self.drawn.geometry.receptive_field)
        note = f"{field} · top {about.k} of {about.images:,} images"
        patches = patch_overview(units, self.layer, note)
        contexts = context_overview(units, about.picture, self.layer, note)
        vector = self._file("patches.svg")
        patches.save_svg(self.folder / vector)
        numbers = _numbers(self.layer, self.drawn) | {
            "shown": len(units),
            "hatched": int(any(not one.mask[: one.shown].all() for one in units)),
            "larger": int(self.drawn.geometry.receptive_field.exceeds(about.input_size)),
        }
        return (
            self._figure("patches", "layer", patches, numbers).model_copy(update={"vector": vector}),
            self._figure("context", "layer-context", contexts, numbers),
        )

    def _figure(self, kind: str, caption: str, canvas: Canvas, numbers: dict[str, Number]) -> blocks.Figure:
        image = self._file(f"{kind}.png")
        canvas.save_png(self.folder / image)
        return blocks.Figure(
            id=f"{kind}-{layer_slug(self.layer)}", caption=caption, numbers=numbers, image=image,
            data=self._file("units.csv"), width=canvas.width, height=canvas.height,
            evidence=Evidence(n=self.source.about.images),
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
        "rf_status": field.status,
        "rf_size": field.size,
        "rf_stride": field.stride,
    }
