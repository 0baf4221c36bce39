"""The section of patches: overviews of layers, strips of units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.contents import blocks
from pipeline.contents.parts import Geometry, LayerPart, Sheet, Strip, UnitPart, UnitTable
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.sprites import save_webp, stack, strips_a_sheet
from pipeline.figures.drawing.strips import (
    Context,
    UnitTiles,
    context_overview,
    context_strip,
    patch_overview,
    patch_strip,
)
from pipeline.parallel.threads import ordered
from pipeline.store import Reader
from pipeline.store.tables import write_table

Array = npt.NDArray[Any]

COLUMNS = (
    "unit", "rank", "value", "image_id", "path", "label",
    "y", "x", "x0", "y0", "x1", "y1", "count_active", "images",
)  # fmt: skip
UNIT_FACTS = (
    Column(name="largest", form="number"),
    Column(name="active", form="proportion"),
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
# The two strips of a unit, by their captions, in the order of the sheets.
STRIPS = ("patches", "in-context")
_SMALL = ("unit", "value", "image_id", "position", "box", "count_active", "passed_over")


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


class PatchFile:
    """What is read of an open patches.h5, a unit at a time.

    Parameters
    ----------
    file : Reader
        The open file.
    """

    def __init__(self, file: Reader) -> None:
        self._file = file
        about = file.attributes()
        self.layers: list[str] = list(about["layers"])
        self.k, self.images, self.picture = int(about["k"]), int(about["images"]), int(about["picture"])
        self._context = {
            name: file.get(f"context/{name}") for name in ("image_id", "scale", "offset", "view")
        }

    def arrays(self, layer: str) -> dict[str, Array]:
        """All of a layer but pixels: each (V, ...)."""
        return {name: self._file.get(f"{layer}/{name}") for name in _SMALL}

    def attributes(self, layer: str) -> dict[str, Any]:
        """Receptive field, map size and number of units of a layer."""
        return self._file.attributes(layer)

    def image_ids(self) -> npt.NDArray[np.int64]:
        """(M,) int64, the images shown, ascending."""
        return self._context["image_id"]

    def tiles(self, layer: str, arrays: dict[str, Array], row: int) -> UnitTiles:
        """What is drawn of a unit, the one in this row of the layer's arrays."""
        here = slice(row, row + 1)
        places = zip(arrays["image_id"][row].tolist(), arrays["box"][row], strict=True)
        return UnitTiles(
            unit=int(arrays["unit"][row]),
            value=arrays["value"][row],
            patch=self._file.get(f"{layer}/patch", here)[0],
            mask=self._file.get(f"{layer}/mask", here)[0],
            context=[self._one_context(image_id, box) for image_id, box in places],
            count_active=int(arrays["count_active"][row]),
            images=self.images,
            passed_over=int(arrays["passed_over"][row]),
        )

    def _one_context(self, image_id: int, box: Array) -> Context | None:
        row = int(np.searchsorted(self._context["image_id"], image_id))
        scale = float(self._context["scale"][row]) if image_id >= 0 else 0.0
        if not scale:
            return None
        offset = np.tile(self._context["offset"][row], 2)
        pixels = self._file.get("context/picture", slice(row, row + 1))[0]
        return Context(pixels, box * scale + offset, self._context["view"][row] * scale + offset)


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

    @property
    def _slug(self) -> str:
        return layer_slug(self.layer)

    def draw(self, most: int, *, threads: int) -> LayerPart:
        """Draw a layer and return what the section says of it.

        Parameters
        ----------
        most : int
            Units in the overview; of more, a sample spread evenly.
        threads : int
            Sheets drawn at once; changes no result.

        Returns
        -------
        LayerPart
        """
        arrays = self.source.arrays(self.layer)
        count = len(arrays["unit"])
        shown = set(np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist())
        units: list[UnitPart] = []
        sheets: list[Sheet] = []
        overview: list[UnitTiles] = []
        for tiles, made in ordered(self._draw_sheets, self._jobs(arrays), threads=threads):
            overview += [one for row, one in enumerate(tiles, start=len(units)) if row in shown]
            for one, edges in zip(tiles, made.edges, strict=True):
                units.append(self._unit(arrays, len(units), one, made.strips(len(sheets), edges)))
            sheets += made.sheets
        data = f"{self._slug}/{self._slug}-units.csv"
        write_table(self.folder / data, COLUMNS, self._records(arrays))
        about = self.source.attributes(self.layer)
        return LayerPart(
            layer=self.layer,
            geometry=Geometry.of(about),
            facts=self._facts(arrays, about),
            blocks=self._figures(overview, self._numbers(arrays, about), data),
            data=data,
            sheets=tuple(sheets),
            unit_facts=UNIT_FACTS,
            unit_table=WINNERS,
            units=tuple(units),
        )

    def _jobs(self, arrays: dict[str, Array]) -> Iterator[tuple[int, list[UnitTiles]]]:
        """Yield the number of each pair of sheets, and the units on it."""
        count, step = len(arrays["unit"]), 1
        start = number = 0
        while start < count:
            first = self.source.tiles(self.layer, arrays, start)
            # All units of a layer have strips of one size.
            context, patch = context_strip(first, self.source.picture), patch_strip(first)
            step = min(strips_a_sheet(one.width, one.height) for one in (context, patch))
            rest = range(start + 1, min(start + step, count))
            yield number, [first, *(self.source.tiles(self.layer, arrays, row) for row in rest)]
            start, number = start + step, number + 1
