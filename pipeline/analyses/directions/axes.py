"""Which layers are looked at, and along which directions: drawn at random, principal, given by files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.directions.given import Given
from pipeline.analyses.directions.making import Directions, random_directions
from pipeline.analyses.directions.stored import Stored, What, components
from pipeline.formats.activations import INPUT, Activations, KeptLayer
from pipeline.formats.directions import FILE, PCA, RANDOM
from pipeline.layers.choosing import choose_layers

# Share of the mean square of what was stored up to which an axis shows the rounding of float32 alone: values
# far from zero are rounded by as much however little they vary.
ROUNDING = float(np.finfo(np.float32).eps) ** 2


@dataclass(frozen=True)
class Axes:
    """The directions of a kind.

    Attributes
    ----------
    names
        What each is called.
    direction : (R, U) float32
        Of length 1.
    variance : (R,) float64 or None
        Of principal components, the share of the total variance along each.
    """

    names: tuple[str, ...]
    direction: Directions
    variance: NDArray[np.float64] | None = None


def looked_at(
    activations: Activations, wanted: Literal["auto"] | Sequence[str], given: Mapping[str, Given]
) -> list[str]:
    """Return the layers to look at, in the network's order.

    Parameters
    ----------
    activations
        That have the layers.
    wanted
        Names or globs; "auto": the code layer, and the last layer whose map has several positions.
    given
        Layers that files give directions of, which are looked at in any case.

    Raises
    ------
    UserError
        A pattern matches no layer.
    """
    if wanted == "auto":
        maps = [name for name in activations.layers if not is_stored(activations.layer(name))]
        chosen = {*maps[-1:], activations.code_layer}
    else:
        chosen = set(choose_layers(wanted, activations.layers, "directions.layers"))
    return [name for name in activations.layers if name in chosen or name in given]


def is_stored(layer: KeptLayer) -> bool:
    """Tell whether the maxima of a layer are its outputs: its map has one position."""
    return layer.geometry.map_size == (1, 1)


def stored_values(activations: Activations, layer: KeptLayer) -> Stored:
    """Return the maxima that a layer's images are ranked by."""
    what: What = "input maxima" if layer.ranked_by == INPUT else "maxima"
    return Stored(activations.folder, layer.name, what)


def components_of(activations: Activations, layer: KeptLayer) -> Stored:
    """Return what a layer's principal components are of.

    A layer of one position has its outputs; a map its means over positions, whose value along a direction is
    the mean of the values there; where these are not kept, and where the layer is looked at before its
    activation function, its maxima.
    """
    if is_stored(layer) or layer.ranked_by == INPUT or not activations.has_means:
        return stored_values(activations, layer)
    return Stored(activations.folder, layer.name, "means")


def axes_of(
    activations: Activations, layer: KeptLayer, given: Given | None, *, count: int, seed: int
) -> dict[str, Axes]:
    """Return the directions of a layer, by kind.

    Parameters
    ----------
    activations, layer
        The layer, of U units.
    given
        Directions of the user's, if there are.
    count
        Random directions, and principal components: fewer where the images vary along fewer.
    seed
        Of the random ones.
    """
    names = tuple(f"random {number}" for number in range(1, count + 1))
    axes = {
        RANDOM: Axes(names, random_directions(count, layer.units, seed=seed, layer=layer.name)),
    }
    if len(activations.image_id) > 1:
        found = components(components_of(activations, layer), count)
        varies = found.variance > ROUNDING * (found.mean @ found.mean + found.total_variance)
        names = tuple(f"component {number}" for number in range(1, int(varies.sum()) + 1))
        if names:
            share = found.variance[varies] / found.total_variance
            axes[PCA] = Axes(names, found.axes[varies].astype(np.float32), share)
    if given is not None:
        axes[FILE] = Axes(given.names, given.direction)
    return axes
