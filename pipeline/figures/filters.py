"""The section of filters: pictures, how good each layer's are, and the filter on the page of each unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.filter_looks import add_looks
from pipeline.figures.filter_quality import MEASURES, add_quality
from pipeline.figures.filter_tiles import Bounds, FilterTiles, kernel_of
from pipeline.figures.filter_units import UnitFilters
from pipeline.formats.filters import FilterLayer, FiltersFile
from pipeline.formats.status import Status
from pipeline.numerics.spreading import evenly_spread


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
        section.add(tiles.figure(first).model_copy(update={"id": "first"}))
    add_looks(section, found)
    add_quality(section, found, layers)
    others = [name for name in layers if name != first and len(layers[name].unit)]
    chosen = _chosen(layers, others, drawn.layers)
    if chosen:
        section.add(blocks.Text(caption="deeper", numbers=_counts(layers, others, chosen)))
    section.add(*(tiles.figure(name) for name in chosen))
    owner = {unit_layer: name for name, layer in layers.items() for unit_layer in layer.turned}
    for unit_layer, units in drawn.units.items():
        section.layers.append(_part(section, found, tiles, unit_layer, owner.get(unit_layer), units))


def _chosen(layers: Mapping[str, FilterLayer], names: Sequence[str], most: int) -> list[str]:
    """Choose layers whose kernels have a form, spread evenly, and the last of the others; in their order."""
    formed = [name for name in names if kernel_of(layers[name]) != (1, 1)]
    flat = [name for name in names if name not in formed]
    if len(names) <= most or not most:
        return list(names) if most else []
    last = flat[-1:] if formed else evenly_spread(flat, most)
    kept = {*last, *evenly_spread(formed, most - len(last))}
    return [name for name in names if name in kept]


def _counts(
    layers: Mapping[str, FilterLayer], others: Sequence[str], chosen: Sequence[str]
) -> dict[str, Number]:
    formed = sum(kernel_of(layers[name]) != (1, 1) for name in chosen)
    shown = len(chosen)
    return {"shown": shown, "others": len(others), "formed": formed, "flat": shown - formed}


def _numbers(found: FiltersFile, layers: Mapping[str, FilterLayer]) -> dict[str, int | float | str]:
    noise = [name for name, layer in layers.items() if layer.like_noise]
    judged = [layer.quality for layer in layers.values() if layer.like_noise is not None]
    rough = [one for one in judged if (one.smoothness or 0) < -3 * (one.deviation or 0)]
    return {
        "layers": len(layers), "filters": sum(layer.units for layer in layers.values()),
        "at_start": found.about.at_start,
        "noise": ", ".join(noise), "noise_layers": len(noise), "judged": len(judged), "rough": len(rough),
        "partly": sum(len(layer.unit) < layer.units for layer in layers.values()),
        "noise_smoothness": found.about.noise_smoothness, "noise_evenness": found.about.noise_evenness,
    }  # fmt: skip


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
    if len(layer.unit) < layer.units:
        facts.append(Fact(name="measured", value=(len(layer.unit), layer.units), form="proportion"))
    facts += [
        Fact(name=name, value=value, form=form)
        for name, form in MEASURES.items() if (value := getattr(layer.quality, name)) is not None
    ]  # fmt: skip
    drawn = UnitFilters(section.folder, found, owner, unit_layer).draw(units)
    figure = (tiles.figure(owner, unit_layer),) if len(layer.unit) else ()
    return drawn.model_copy(update={"facts": tuple(facts), "blocks": figure})
