"""Which layers are watched: names, globs, or the automatic choice."""

from collections.abc import Sequence
from typing import Literal

from pipeline.layers.choosing import choose_layers, unknown_layer
from pipeline.layers.layers import MANY, Layer


def select_layers(
    layers: Sequence[Layer], code_layer: str, patterns: Literal["auto"] | Sequence[str], key: str
) -> tuple[Layer, ...]:
    """Choose layers.

    `auto` takes every activation layer and pool up to the code layer, the gates of squeeze-and-excitation
    left out; sums and concatenations where there is no activation map. Where these are more than 40, it
    takes the first activation, the ends of blocks (every second, third, ... where they still are many, the
    last of each map size always), the pools that shrink the map, and the last activation. The last pool and
    the code layer are always among them.

    Parameters
    ----------
    layers
        Of `describe_layers`.
    code_layer
        Of `code_layer`.
    patterns
        "auto", or names and globs, as `choose_layers` reads them.
    key
        The parameter that holds the patterns, for the message.

    Returns
    -------
    tuple of Layer
        In the order of the network.

    Raises
    ------
    UserError
        A pattern matches no layer.
    """
    if patterns == "auto":
        chosen = _auto(layers, code_layer)
    else:
        chosen = set(choose_layers(patterns, [layer.name for layer in layers], key))
    return tuple(layer for layer in layers if layer.name in chosen)


def mapped_layers(
    layers: Sequence[Layer], patterns: Literal["auto"] | Sequence[str], key: str
) -> tuple[Layer, ...]:
    """Choose layers whose output is a map of more than one position.

    `auto` takes the first and the last convolution, each after its activation function where one follows it;
    where after the last one branches come together, the activation or the sum there.

    Parameters
    ----------
    layers
        Of `describe_layers`.
    patterns
        "auto", or names and globs, as `choose_layers` reads them.
    key
        The parameter that holds the patterns, for the message.

    Returns
    -------
    tuple of Layer
        In the order of the network, each once; of "auto" none where no layer has a convolution's map.

    Raises
    ------
    UserError
        A pattern matches no such layer.
    """
    maps = [layer for layer in layers if layer.kind == "map" and layer.map_size != (1, 1)]
    if patterns == "auto":
        chosen = _ends(maps)
    else:
        chosen = set(choose_layers(patterns, [layer.name for layer in maps], key))
    return tuple(layer for layer in maps if layer.name in chosen)


def _ends(maps: Sequence[Layer]) -> set[str]:
    """Return the names of the first and the last convolution's maps, after what acts on them."""
    places = [place for place, layer in enumerate(maps) if layer.is_convolution]
    if not places:
        return set()
    first = maps[places[0] : [*places, len(maps)][1]]
    active = next((layer for layer in first if layer.is_activation), first[0])
    last = [
        layer
        for layer in maps[places[-1] :]
        if layer.is_convolution or layer.is_activation or layer.ends_block
    ]
    return {active.name, last[-1].name}


def _auto(layers: Sequence[Layer], code_layer: str) -> set[str]:
    names = [layer.name for layer in layers]
    if code_layer not in names:
        raise unknown_layer(code_layer, names)
    usable = [layer for layer in layers[: names.index(code_layer)] if not _is_gate(layer)]
    pools = [layer for layer in layers[: names.index(code_layer) + 1] if layer.is_pool]
    active = [layer for layer in usable if layer.is_activation]
    if not any(layer.kind == "map" for layer in active):
        active += [layer for layer in usable if layer.ends_block]
    always = {code_layer, *(layer.name for layer in pools[-1:])}
    pools = [layer for layer in pools if not _is_gate(layer)]
    if len({layer.name for layer in [*active, *pools]} | always) <= MANY:
        return {layer.name for layer in [*active, *pools]} | always
    ends = _thinned([layer for layer in usable if layer.ends_block])
    return {layer.name for layer in [*active[:1], *ends, *active[-1:], *_shrinking(usable)]} | always


def _is_gate(layer: Layer) -> bool:
    """Tell whether a layer is the inside of squeeze-and-excitation: one position that sees everything."""
    return layer.kind == "map" and layer.map_size == (1, 1) and layer.receptive_field.status == "global"


def _thinned(ends: Sequence[Layer]) -> list[Layer]:
    every = -(-len(ends) // MANY)
    last = {layer.map_size: layer.name for layer in ends}
    kept = {layer.name for layer in ends[::-1][::every]} | set(last.values())
    return [layer for layer in ends if layer.name in kept]


def _shrinking(layers: Sequence[Layer]) -> list[Layer]:
    """Return the pools whose map is smaller than any before them."""
    smallest, kept = (1 << 30, 1 << 30), []
    for layer in layers:
        if layer.kind == "map" and layer.map_size < smallest:
            smallest = layer.map_size
            kept += [layer] if layer.is_pool else []
    return kept
