"""The section of patches: overviews of layers, strips of units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitPart, UnitTable
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Column, Evidence, Fact, Number
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet
from pipeline.figures.drawing.strips import (
    UnitTiles,
    context_overview,
    context_strip,
    patch_overview,
    patch_strip,
)
from pipeline.figures.patch_file import Array, Names, PatchFile
from pipeline.formats.geometry import read_geometry
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
class LayerFiles:
    """Draws the files of a layer into a section's folder, in a folder of the layer's own.

    Attributes
    ----------
    folder
        The section's.
    layer
        Its name.
    source, names
        Where patches, paths and labels come from.
    """

    folder: Path
    layer: str
    source: PatchFile
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
        arrays, about = self.source.arrays(self.layer), self.source.attributes(self.layer)
        count = len(arrays["unit"])
        shown = set(np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist())
        units: list[UnitPart] = []
        sheets: list[SpriteSheet] = []
        overview: list[UnitTiles] = []
        for tiles, made, strips in ordered(self._sheets, self._jobs(arrays), threads=threads):
            overview += [one for row, one in enumerate(tiles, start=len(units)) if row in shown]
            for one, pair in zip(tiles, strips, strict=True):
                units.append(self._unit(arrays, len(units), one, pair))
            sheets += made
        data = self._file("units.csv")
        write_table(self.folder / data, COLUMNS, self._records(arrays))
        return LayerPart(
            layer=self.layer,
            units_total=int(about["units"]),
            geometry=read_geometry(about),
            facts=_facts(arrays, about),
            blocks=self._figures(overview, arrays, about),
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

    def _jobs(self, arrays: dict[str, Array]) -> Iterator[tuple[int, list[UnitTiles]]]:
        """Yield the number of each pair of sheets, patches and contexts, and the units on it."""
        step = min(strips_a_sheet(*size) for size in self.source.strip_sizes(self.layer))
        rows = range(len(arrays["unit"]))
        for number, start in enumerate(range(0, len(rows), step)):
            yield number, [self.source.tiles(self.layer, arrays, row) for row in rows[start : start + step]]

    def _sheets(
        self, job: tuple[int, list[UnitTiles]]
    ) -> tuple[list[UnitTiles], tuple[SpriteSheet, SpriteSheet], list[tuple[Strip, Strip]]]:
        """Draw the strips of some units on a pair of sheets; return the units, the sheets, and the strips."""
        number, tiles = job
        patches, patch_strips = self._sheet(2 * number, "patches", [patch_strip(one) for one in tiles])
        contexts, context_strips = self._sheet(
            2 * number + 1, "context", [context_strip(one, self.source.picture) for one in tiles]
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

    def _unit(
        self, arrays: dict[str, Array], row: int, tiles: UnitTiles, strips: tuple[Strip, Strip]
    ) -> UnitPart:
        values, ids = arrays["value"][row, : tiles.shown], arrays["image_id"][row, : tiles.shown].tolist()
        never = blocks.Notice(caption="never-active", numbers={"images": tiles.images})
        paths, labels = [self.names.path[one] for one in ids], [self.names.label[one] for one in ids]
        places = zip(values, paths, labels, arrays["position"][row], arrays["box"][row], strict=False)
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

    def _records(self, arrays: dict[str, Array]) -> Iterator[Sequence[object]]:
        """A line of the table for each place that is filled."""
        for row, unit in enumerate(arrays["unit"].tolist()):
            for rank, image_id in enumerate(arrays["image_id"][row].tolist()):
                if image_id >= 0:
                    yield (
                        unit, rank, float(arrays["value"][row, rank]), image_id,
                        self.names.path[image_id], self.names.label[image_id],
                        *arrays["position"][row, rank].tolist(), *arrays["box"][row, rank].tolist(),
                        int(arrays["count_active"][row]), self.source.images,
                    )  # fmt: skip

    def _figures(
        self, units: Sequence[UnitTiles], arrays: dict[str, Array], about: dict[str, Any]
    ) -> tuple[blocks.Figure, blocks.Figure]:
        """Draw the overviews."""
        note = f"{receptive_field(about)} · top {self.source.k} of {self.source.images:,} images"
        patches = patch_overview(units, self.layer, note)
        contexts = context_overview(units, self.source.picture, self.layer, note)
        vector = self._file("patches.svg")
        patches.save_svg(self.folder / vector)
        numbers = _numbers(self.layer, arrays, about) | {"shown": len(units)}
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
            evidence=Evidence(n=self.source.images),
        )  # fmt: skip


def receptive_field(about: dict[str, Any]) -> str:
    """Say a layer's receptive field in words, from its attributes."""
    status = about["rf_status"]
    if status == "global":
        return "each position sees the whole network input"
    if status == "unknown":
        return "receptive field unknown, the whole network input is shown"
    size, stride = (" × ".join(str(int(edge)) for edge in about[f"rf_{name}"]) for name in ("size", "stride"))
    most = "at most " if status == "bound" else ""
    return f"receptive field {most}{size}, stride {stride} pixels of the network input"


def _facts(arrays: dict[str, Array], about: dict[str, Any]) -> tuple[Fact, ...]:
    return (
        Fact(name="drawn", value=(len(arrays["unit"]), about["units"]), form="proportion"),
        Fact(name="never_active", value=(about["units_never_active"], about["units"]), form="proportion"),
        Fact(name="passed_over", value=arrays["passed_over"].sum(), form="count"),
    )


def _numbers(layer: str, arrays: dict[str, Array], about: dict[str, Any]) -> dict[str, Number]:
    """Return what the captions of a layer's figures are filled in with."""
    return {
        "layer": layer,
        "units": int(about["units"]),
        "drawn": len(arrays["unit"]),
        "never_active": int(about["units_never_active"]),
        "passed_over": int(arrays["passed_over"].sum()),
        "rf_status": about["rf_status"],
        "rf_size": tuple(about["rf_size"]),
        "rf_stride": tuple(about["rf_stride"]),
    }
