"""Which layers' codes are inverted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.layers.layers import Layer
from pipeline.layers.selection import select_layers
from pipeline.numerics.spreading import evenly_spread


@dataclass(frozen=True)
class Deep:
    """A layer, and its place among all layers of the network: above 0, and 1 for the last."""

    layer: Layer
    depth: float


def inverted_layers(
    layers: Sequence[Layer], code: str, patterns: Literal["auto"] | Sequence[str], most: int
) -> list[Deep]:
    """Choose layers.

    Parameters
    ----------
    layers
        Of `describe_layers`.
    code
        Of `code_layer`.
    patterns
        Names and globs; or "auto": the first convolution before anything acts on it, the code, and between
        them activation functions and pools, spread evenly.
    most
        How many `auto` takes.

    Raises
    ------
    UserError
        A pattern matches no layer.
    """
    places = {layer.name: place for place, layer in enumerate(layers)}
    chosen = list(select_layers(layers, code, patterns, "inversion.layers"))
    if patterns == "auto":
        # Beyond the code there is nothing, not even where pools come later.
        chosen = [layer for layer in chosen if places[layer.name] <= places[code]]
        first = next((layer for layer in layers if layer.is_convolution), None)
        if first is not None:
            after = [layer for layer in chosen if places[layer.name] > places[first.name]]
            chosen = [first, *after]
        chosen = evenly_spread(chosen, most)
    return [Deep(layer, (places[layer.name] + 1) / len(layers)) for layer in chosen]
