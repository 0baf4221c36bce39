"""Units of which nothing is drawn: their numbers and their strongest images, as the ranking has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.figures.winners import UNIT_FACTS, Names, unit_table, winners_of
from pipeline.formats.topk import About, RankedLayer


def winners(layers: Iterable[RankedLayer], k: int) -> NDArray[np.int64]:
    """Return the images among the first k of any unit that they activate, each once, ascending."""
    shown = [layer.image_id[:, :k][layer.value[:, :k] > 0] for layer in layers]
    return np.unique(np.concatenate([np.empty(0, np.int64), *shown]))


def add_undrawn(part: LayerPart, layer: RankedLayer, about: About, names: Names) -> LayerPart:
    """Add the units of a layer that were not drawn to what is said of it.

    Parameters
    ----------
    part
        What is said of the drawn units, if there are any.
    layer
        The layer's ranking; near-duplicates are in it.
    about
        Of the ranking.
    names
        Of the images of `winners`.

    Returns
    -------
    LayerPart
    """
    drawn = {unit.unit: unit for unit in part.units}
    rest = {unit.unit: unit for unit in _undrawn(layer, drawn, about, names)}
    units = drawn | rest
    return part.model_copy(
        update={
            "units_total": len(layer.value),
            "geometry": layer.geometry,
            "unit_facts": UNIT_FACTS,
            "unit_table": unit_table(ranked_by_input=layer.input is not None),
            "units": tuple(units[unit] for unit in sorted(units)),
        }
    )


def _undrawn(layer: RankedLayer, drawn: Collection[int], about: About, names: Names) -> list[UnitPart]:
    return [_unit(layer, unit, about, names) for unit in range(len(layer.value)) if unit not in drawn]


def _unit(layer: RankedLayer, unit: int, about: About, names: Names) -> UnitPart:
    # Ranks are in descending order: those of a positive maximum come first.
    shown = slice(int(np.count_nonzero(layer.value[unit, : about.k] > 0)))
    found, at_maximum = winners_of(layer, unit, shown), int(layer.count_at_maximum[unit])
    return UnitPart(
        unit=unit,
        facts=found.facts(int(layer.count_active[unit]), about.images, at_maximum, None),
        rows=found.rows(names),
        blocks=tuple(found.notices(at_maximum)),
    )
