"""The section of filters: pictures, how good each layer's are, and the filter on the page of each unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Cell, Column, Fact, Form
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.kernels import spread
from pipeline.figures.filter_looks import add_looks
from pipeline.figures.filter_tiles import Bounds, FilterTiles
from pipeline.figures.filter_units import UnitFilters
from pipeline.formats.filters import FilterLayer, FiltersFile, Quality
from pipeline.formats.status import Status

MEASURES: dict[str, Form] = {
    "smoothness": "number", "variance_entropy": "number", "orthogonality": "number", "sparsity": "share",
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """What is drawn beside the first layer.

    Attributes
    ----------
    layers
        How many further layers the chapter shows, evenly spread over the network.
    units
        By extracted layer, in the network's order: the units that have a page, ascending.
    """

    layers: int
    units: Mapping[str, NDArray[np.int64]]


def add_filters(section: SectionDraft, found: FiltersFile | Status, drawn: Drawn, bounds: Bounds) -> None:
    """Show the filters and say how good they are, or why there are none."""
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.about.layers}
    tiles = FilterTiles(section.folder, found, bounds)
    section.numbers |= _numbers(found, layers)
    first = found.about.first
    if first and len(layers[first].unit):
        section.add(tiles.figure(first, "filters"))
    add_looks(section, found)
    _add_quality(section, found, layers)
    others = [name for name in layers if name != first and len(layers[name].unit)]
    chosen = [others[place] for place in spread(len(others), drawn.layers)] if others else []
    if chosen:
        section.add(blocks.Text(caption="deeper", numbers={"shown": len(chosen), "others": len(others)}))
    section.add(*(tiles.figure(name, "filters") for name in chosen))
    owner = {unit_layer: name for name, layer in layers.items() for unit_layer in layer.turned}
    for unit_layer, units in drawn.units.items():
        section.layers.append(_part(section, found, tiles, unit_layer, owner.get(unit_layer), units))


def _numbers(found: FiltersFile, layers: Mapping[str, FilterLayer]) -> dict[str, int | float | str]:
    noise = [name for name, layer in layers.items() if layer.like_noise]
    judged = sum(layer.like_noise is not None for layer in layers.values())
    return {
        "layers": len(layers), "filters": sum(layer.units for layer in layers.values()),
        "first": found.about.first, "at_start": found.about.at_start,
        "noise": ", ".join(noise), "noise_layers": len(noise), "judged": judged,
        "noise_smoothness": found.about.noise_smoothness, "noise_evenness": found.about.noise_evenness,
    }  # fmt: skip


def _add_quality(section: SectionDraft, found: FiltersFile, layers: Mapping[str, FilterLayer]) -> None:
    """Add the table of all layers, and the warning where one looks like noise."""
    columns = [Column(name="layer"), Column(name="filters", form="count"), Column(name="kernel", form="size")]
    columns += _columns("")
    columns += _columns("_at_start") if found.about.at_start else []
    rows = []
    for name, layer in layers.items():
        before = _cells(layer.at_start) if layer.at_start else ()
        rows.append((name, layer.units, layer.kernel, *_cells(layer.quality), *before))
    if section.numbers["noise_layers"]:
        section.add(blocks.Notice(caption="noise"))
    section.add(blocks.Table(id="quality", caption="quality", columns=tuple(columns), rows=tuple(rows)))


def _columns(suffix: str) -> list[Column]:
    return [Column(name=name + suffix, form=form) for name, form in MEASURES.items()]


def _cells(quality: Quality) -> tuple[Cell, ...]:
    return tuple(getattr(quality, name) for name in MEASURES)


def _part(
    section: SectionDraft,
    found: FiltersFile,
    tiles: FilterTiles,
    unit_layer: str,
    owner: str | None,
    units: NDArray[np.int64],
) -> LayerPart:
    """Return what is said of an extracted layer and its units; nothing where these are no filters."""
    if owner is None:
        return LayerPart(layer=unit_layer)
    layer = found.layer(owner)
    facts = [Fact(name="filters_of", value=owner, form="text")]
    facts += [
        Fact(name=name, value=value, form=form)
        for name, form in MEASURES.items() if (value := getattr(layer.quality, name)) is not None
    ]  # fmt: skip
    drawn = UnitFilters(section.folder, found, owner, unit_layer).draw(units)
    figure = (tiles.figure(owner, layer_slug(unit_layer)),) if len(layer.unit) else ()
    return drawn.model_copy(update={"facts": tuple(facts), "blocks": figure})
