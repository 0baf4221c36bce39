"""Which layers' neurons have a place, and which of them are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.layers.layers import Layer
from pipeline.layers.selection import select_layers
from pipeline.numerics.geometry import ReceptiveField
from pipeline.numerics.spreading import evenly_spread


@dataclass(frozen=True)
class Chosen:
    """Layers that are compared, and what of those asked for cannot be.

    Attributes
    ----------
    layers
        In the network's order.
    without_place
        Of those that were asked for, and have no place: "one position" where the map has one, "whole image"
        where each neuron sees, or may see, all of it.
    """

    layers: tuple[Layer, ...]
    without_place: Mapping[str, str]


def placed_layers(
    layers: Sequence[Layer], code: str, patterns: Literal["auto"] | Sequence[str], most: int,
    fields: Mapping[str, ReceptiveField] | None = None,
) -> Chosen:  # fmt: skip
    """Choose layers.

    Parameters
    ----------
    layers
        Of `describe_layers`.
    code
        Of `code_layer`.
    patterns
        Names and globs; or "auto": maps of activation functions and the ends of blocks up to the code, spread
        evenly over those that have a place.
    most
        How many `auto` takes.
    fields
        What neurons see but for gates, by layer; None: what the layers say.

    Raises
    ------
    UserError
        A pattern matches no layer.
    """
    chosen = select_layers(layers, code, patterns, "correspondence.layers")
    if patterns == "auto":
        acting = [layer for layer in chosen if layer.is_activation or layer.ends_block]
        acting = acting or [layer for layer in layers if layer.is_convolution]
        chosen = tuple(layer for layer in acting if layer.kind == "map")
    seen = {layer.name: (fields or {}).get(layer.name, layer.receptive_field) for layer in chosen}
    without = {layer.name: why for layer in chosen if (why := lacks_place(layer, seen[layer.name]))}
    placed = [layer for layer in chosen if layer.name not in without]
    if patterns == "auto":
        placed = evenly_spread(placed, most)
    return Chosen(tuple(placed), without)


def lacks_place(layer: Layer, field: ReceptiveField) -> str:
    """Return why the neurons of a layer have no place; empty where they have."""
    if layer.kind == "dense" or layer.map_size == (1, 1):
        return "one position"
    stands = any(count > 1 and not stride for count, stride in zip(layer.map_size, field.stride, strict=True))
    return "whole image" if field.is_whole or stands else ""
