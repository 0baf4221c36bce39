"""Layers by name or glob, for every block of params.yaml that names some."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pipeline.errors import UserError, nearest


def choose_layers(patterns: Sequence[str], layers: Sequence[str], key: str) -> list[str]:
    """Return the layers that are named.

    Parameters
    ----------
    patterns
        Names, or globs (`features.*`). What is the name of a layer means that layer, brackets and all.
    layers
        All layers, in the network's order.
    key
        The parameter that holds the patterns ("patches.layers"), for the message.

    Returns
    -------
    list of str
        In the network's order, each once.

    Raises
    ------
    UserError
        A pattern matches no layer.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        found = {pattern} & set(layers) or {layer for layer in layers if fnmatchcase(layer, pattern)}
        if not found:
            raise unknown_layer(pattern, layers, f"{key}: ")
        chosen |= found
    return [layer for layer in layers if layer in chosen]


def unknown_layer(name: str, layers: Sequence[str], where: str = "") -> UserError:
    """Return the error for a layer that is not there: the nearest name, then all of them."""
    meant = nearest(name, layers)
    hint = f"did you mean '{meant}'? " if meant else ""
    return UserError(f"{where}no layer matches '{name}'; {hint}the layers are: {', '.join(layers) or 'none'}")
