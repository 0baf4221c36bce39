"""The strip on the first page: of each layer the most selective unit, with the images that excite it most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.contents.values import Cell
from pipeline.report.collecting import LayerEntry, UnitEntry
from pipeline.report.unit_shown import Glimpse, glimpse_of

PICTURES = 6
# More layers would be a strip that nobody scrolls through; the first and the last are among them.
MOST_LAYERS = 12
SELECTIVITY, ACTIVE = "selectivity", "active"


@dataclass(frozen=True)
class Chosen:
    """A layer's unit.

    Attributes
    ----------
    layer, unit
        Which it is.
    value
        What it was chosen by: class selectivity, or the share of images that it is active on.
    source
        Where that value stands.
    pictures
        Its first strip, and where it is.
    """

    layer: str
    unit: int
    value: float
    source: str
    pictures: Glimpse

    @property
    def shown(self) -> int:
        """How many pictures of it are shown."""
        tiles = self.pictures[2].tiles
        return min(PICTURES, tiles.count if tiles else 1)


def choose_units(layers: Sequence[LayerEntry]) -> tuple[list[Chosen], str]:
    """Return a drawn unit of each layer, in the network's order, and what they were chosen by.

    That is the largest class selectivity where any drawn unit has one, else the smallest share of images on
    which the unit is active; of equal units it is the first. A layer without a drawn unit is left out.
    """
    for name in (SELECTIVITY, ACTIVE):
        chosen = [unit for layer in layers if (unit := _choose(layer, name))]
        if chosen:
            return chosen, name
    return [], SELECTIVITY


def spread(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Return at most `MOST_LAYERS`, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(chosen) - 1, min(len(chosen), MOST_LAYERS)).round().astype(int)
    return [chosen[place] for place in places.tolist()]


def _choose(layer: LayerEntry, name: str) -> Chosen | None:
    found = [one for unit in layer.units() if (one := _chosen(unit, name))]
    if not found:
        return None
    return max(found, key=lambda one: one.value if name == SELECTIVITY else -one.value)


def _chosen(unit: UnitEntry, name: str) -> Chosen | None:
    pictures = glimpse_of(unit)
    values = ((section, _value(layer, part, name)) for section, layer, part in unit.parts)
    known = next(((section, value) for section, value in values if value is not None), None)
    if pictures is None or known is None:
        return None
    section, value = known
    source = f"{section.source}#layers.{unit.layer}.units.{unit.unit}.{name}"
    return Chosen(unit.layer, unit.unit, value, source, pictures)


def _value(layer: LayerPart, part: UnitPart, name: str) -> float | None:
    cells = dict(zip((column.name for column in layer.unit_facts), part.facts, strict=True))
    cell: Cell = cells.get(name)
    if isinstance(cell, tuple):
        count, of = cell
        return count / of if of else None
    return float(cell) if isinstance(cell, (int, float)) else None
