"""The strip on the first page: of each layer the most selective unit, with the images that excite it most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.contents.values import Cell
from pipeline.numerics.spreading import evenly_spread
from pipeline.report.collecting import LayerEntry, UnitEntry, Worded
from pipeline.report.unit_shown import Glimpse, glimpse_of

PICTURES = 6
# More layers would be a strip that nobody scrolls through; the first and the last are among them.
MOST_LAYERS = 12
SELECTIVITY, ACTIVE = "selectivity", "active"
# A unit that is active on one image is fully selective for its class. The caption names this number.
LEAST_ACTIVE = 10


@dataclass(frozen=True)
class Chosen:
    """A layer's unit.

    Attributes
    ----------
    layer, unit
        Which it is.
    value
        What it was chosen by: class selectivity, or the share of images that it is active on.
    often
        Whether it is active on `LEAST_ACTIVE` images.
    source
        Where that value stands.
    pictures
        Its first strip, and where it is.
    """

    layer: str
    unit: int
    value: float
    often: bool
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
    which the unit is active; of equal units it is the first. A unit that is active on fewer than
    `LEAST_ACTIVE` images is chosen where all are. A layer without a drawn unit is left out.
    """
    for name in (SELECTIVITY, ACTIVE):
        chosen = [unit for layer in layers if (unit := _choose(layer, name))]
        if chosen:
            return chosen, name
    return [], SELECTIVITY


def spread(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Return at most `MOST_LAYERS`, evenly spread, the first and the last among them."""
    return evenly_spread(chosen, MOST_LAYERS)


def _choose(layer: LayerEntry, name: str) -> Chosen | None:
    found = [one for unit in layer.units if (one := _chosen(unit, name))]
    if not found:
        return None
    return max(found, key=lambda one: (one.often, one.value if name == SELECTIVITY else -one.value))


def _chosen(unit: UnitEntry, name: str) -> Chosen | None:
    pictures = glimpse_of(unit)
    values = ((section, _share(cell)) for section, cell in _cells(unit, name))
    known = next(((section, value) for section, value in values if value is not None), None)
    if pictures is None or known is None:
        return None
    section, value = known
    source = f"{section.source}#layers.{unit.layer}.units.{unit.unit}.{name}"
    counts = [cell[0] for _, cell in _cells(unit, ACTIVE) if isinstance(cell, tuple)]
    return Chosen(unit.layer, unit.unit, value, min(counts, default=0) >= LEAST_ACTIVE, source, pictures)


def _cells(unit: UnitEntry, name: str) -> Iterator[tuple[Worded, Cell]]:
    """Yield what each section says of a unit under a name."""
    for section, layer, part in unit.parts:
        cells = dict(zip((column.name for column in layer.unit_facts), part.facts, strict=True))
        if name in cells:
            yield section, cells[name]


def _share(cell: Cell) -> float | None:
    if isinstance(cell, tuple):
        count, of = cell
        return count / of if of else None
    return float(cell) if isinstance(cell, (int, float)) else None
