"""The filter of each drawn unit: its strongest channels, on sheets that a layer's units share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitPart, UnitTable
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Cell, Column
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.kernels import strip, tile
from pipeline.figures.drawing.sprites import save_sheet, strips_a_sheet
from pipeline.figures.filter_tiles import COLOURS, Weights, channels_of, form_of, shaped
from pipeline.formats.filters import FiltersFile

CHANNELS = 8  # the strongest ones of a filter are shown
_SIDE = 56  # pixels, of a tile
FACTS = (Column(name="filter_smoothness", form="number"), Column(name="turned", form="count"))
LOOKS = (Column(name="colourfulness", form="share"), Column(name="frequency", form="number"))
TABLE = UnitTable(
    caption="unit-channels",
    columns=(Column(name="channel", form="count"), Column(name="weight", form="number")),
)


class UnitFilters:
    """Draws the filters of a layer's units.

    Parameters
    ----------
    folder
        The section's.
    source
        Where the weights come from.
    name
        The layer whose filters they are.
    unit_layer
        The layer whose units they are.
    """

    def __init__(self, folder: Path, source: FiltersFile, name: str, unit_layer: str) -> None:
        self._folder, self._source, self._name, self._unit_layer = folder, source, name, unit_layer
        self._layer = source.layer(name)
        self._form = form_of(self._layer, is_first=name == source.about.first)

    def draw(self, units: NDArray[np.int64]) -> LayerPart:
        """Return the part of the layer: numbers of all units, the filters of these."""
        kept = {unit: row for row, unit in enumerate(self._layer.unit.tolist())}
        drawn = [unit for unit in units.tolist() if unit in kept]
        weights = {unit: self._weight(kept[unit]) for unit in drawn}
        strips: dict[int, Strip] = {}
        sheets: list[SpriteSheet] = []
        if self._form != "matrix":
            for sheet, found in self._sheets(weights):
                sheets.append(sheet)
                strips |= found
        columns, facts = self._facts()
        return LayerPart(
            layer=self._unit_layer, unit_facts=columns, sheets=tuple(sheets),
            unit_table=TABLE if self._form == "matrix" else None,
            numbers={
                "filters_of": self._name, "channels": self._channels, "colour": int(self._is_colour),
                "shown": min(CHANNELS, self._channels), "dense": int(self._layer.kind == "dense"),
            },
            units=tuple(
                UnitPart(
                    unit=unit, facts=row, strips=(strips[unit],) if unit in strips else (),
                    rows=self._rows(weights[unit]) if self._form == "matrix" and unit in weights else (),
                )
                for unit, row in enumerate(facts)
            ),
        )  # fmt: skip

    @property
    def _channels(self) -> int:
        return channels_of(self._layer)

    @property
    def _is_colour(self) -> bool:
        return self._form == "tiles" and self._channels == COLOURS

    def _weight(self, row: int) -> Weights:
        return shaped(self._layer, self._source.weight(self._name, slice(row, row + 1)))[0]

    def _sheets(self, weights: dict[int, Weights]) -> Iterator[tuple[SpriteSheet, dict[int, Strip]]]:
        if not weights:
            return
        size = self._strip(next(iter(weights.values())))
        step = strips_a_sheet(size.width, size.height)
        slug = layer_slug(self._unit_layer)
        drawn = list(weights)
        for number, start in enumerate(range(0, len(drawn), step)):
            units = drawn[start : start + step]
            canvases = [self._strip(weights[unit]) for unit in units]
            file = f"{slug}/filters-{number:03}.webp"
            width, height, edges = save_sheet(self._folder / file, [one.image() for one in canvases])
            yield (
                SpriteSheet(file=file, width=width, height=height),
                {
                    unit: Strip(
                        caption="unit-filter", sheet=number, x=0, y=y, width=one.width, height=one.height
                    )
                    for unit, one, y in zip(units, canvases, edges, strict=True)
                },
            )

    def _strip(self, weight: Weights) -> Canvas:
        largest = float(np.abs(weight).max(initial=0))
        if self._form == "tiles":
            return strip([tile(weight, largest, _SIDE)], [""])
        strongest = _strongest(weight)
        tiles = [tile(weight[channel][None], largest, _SIDE) for channel in strongest]
        return strip(tiles, [str(channel) for channel in strongest])

    def _rows(self, weight: Weights) -> tuple[tuple[Cell, ...], ...]:
        return tuple((channel, float(weight[channel, 0, 0])) for channel in _strongest(weight))

    def _facts(self) -> tuple[tuple[Column, ...], list[tuple[Cell, ...]]]:
        """Return the columns and each unit's cells."""
        layer = self._layer
        smooth = [_known(value) for value in layer.smoothness.tolist()]
        turned = [int(value) or None for value in layer.turned[self._unit_layer].tolist()]
        if self._name != self._source.about.first:
            return FACTS, list(zip(smooth, turned, strict=True))
        looks = self._source.looks()
        colour = looks.colourfulness
        coloured = [None] * layer.units if colour is None else [_known(value) for value in colour.tolist()]
        fine = [_known(value) for value in looks.frequency.tolist()]
        return FACTS + LOOKS, list(zip(smooth, turned, coloured, fine, strict=True))


def _strongest(weight: Weights) -> list[int]:
    """Return the channels of largest norm, the strongest first."""
    norm = np.linalg.norm(weight.reshape(len(weight), -1), axis=1)
    return np.argsort(-norm, kind="stable")[:CHANNELS].tolist()


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
