"""The section of contrasts: strips of the weakest images of each drawn unit, and of images at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitPart
from pipeline.contents.slugs import layer_file
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet
from pipeline.figures.drawing.strips import UnitTiles, patch_strip, strip_size
from pipeline.figures.drawing.tiles import enlarged_side
from pipeline.formats.activations import INPUT
from pipeline.formats.contrasts import KINDS, ContrastsFile
from pipeline.formats.patches import PatchesFile
from pipeline.formats.status import Status
from pipeline.parallel.threads import ordered


def add_contrasts(
    section: SectionDraft, found: ContrastsFile | Status, patches: PatchesFile, *, threads: int
) -> None:
    """Draw the strips of all units, or say why there are none; `patches` says how active they are."""
    if isinstance(found, Status):
        section.status = found
        return
    drawn = [
        LayerContrasts(section.folder, name, found, _active(patches, name)).draw(threads)
        for name in found.about.layers
    ]
    section.layers += drawn
    places = found.kind(found.about.layers[0], KINDS[1]).image_id.shape[1]
    section.numbers |= {
        "images": found.about.images,
        "shown": places,
        "units": sum(len(part.units) for part in drawn),
        "layers_by_input": sum(found.units(name)[1] == INPUT for name in found.about.layers),
    }


def _active(patches: PatchesFile, layer: str) -> dict[int, int]:
    drawn = patches.layer(layer)
    return dict(zip(drawn.unit.tolist(), drawn.count_active.tolist(), strict=True))


@dataclass(frozen=True)
class LayerContrasts:
    """Draws a layer's strips into a section's folder, in a folder of the layer's own.

    Attributes
    ----------
    folder, layer
        The section's, and the layer's name.
    source
        What was cut.
    active
        By unit, the images that activate it.
    """

    folder: Path
    layer: str
    source: ContrastsFile
    active: dict[int, int]

    def draw(self, threads: int) -> LayerPart:
        """Draw the strips of the units that are active at all."""
        sheets: list[SpriteSheet] = []
        units: list[UnitPart] = []
        for drawn, sheet in ordered(self._sheet, enumerate(self._jobs()), threads=threads):
            units += drawn
            sheets.append(sheet)
        return LayerPart(layer=self.layer, sheets=tuple(sheets), units=tuple(units))

    def _jobs(self) -> Iterator[list[tuple[int, list[UnitTiles]]]]:
        """Yield the units of each sheet, each with a strip for each kind."""
        unit, _ = self.source.units(self.layer)
        values = {kind: self.source.kind(self.layer, kind).value for kind in KINDS}
        side = enlarged_side(self.source.about.size)
        step = max(1, strips_a_sheet(*strip_size(values[KINDS[0]].shape[1], side)) // len(KINDS))
        rows = [row for row, number in enumerate(unit.tolist()) if self.active[number]]
        for start in range(0, len(rows), step):
            yield [
                (
                    int(unit[row]),
                    [self._tiles(kind, row, int(unit[row]), values[kind][row]) for kind in KINDS],
                )
                for row in rows[start : start + step]
            ]

    def _tiles(self, kind: str, row: int, unit: int, value: np.ndarray) -> UnitTiles:
        patches = self.source.patches(self.layer, kind, row)
        return UnitTiles(
            unit, value, patches.pixels, patches.mask, self.active[unit], self.source.about.images, 0
        )

    def _sheet(
        self, job: tuple[int, list[tuple[int, list[UnitTiles]]]]
    ) -> tuple[list[UnitPart], SpriteSheet]:
        number, units = job
        drawn = [patch_strip(one) for _, strips in units for one in strips]
        name = layer_file(self.layer, f"contrasts-{number:03}.webp")
        width, height, edges = save_sheet(self.folder / name, [canvas.image() for canvas in drawn])
        strips = [
            Strip(caption=kind, sheet=number, x=0, y=y, width=canvas.width, height=canvas.height)
            for kind, canvas, y in zip(KINDS * len(units), drawn, edges, strict=True)
        ]
        parts = [
            UnitPart(unit=unit, strips=tuple(strips[place * len(KINDS) : (place + 1) * len(KINDS)]))
            for place, (unit, _) in enumerate(units)
        ]
        return parts, SpriteSheet(file=name, width=width, height=height)
