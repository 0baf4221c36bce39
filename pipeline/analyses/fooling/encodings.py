"""How evolved images are written: pixel by pixel, or as what a small network draws of each place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.fooling.pixels import WHITE, rounded

Pictures = NDArray[np.uint8]
# Of Nguyen et al.: a tenth of the genes is changed, half as many after every thousand generations; Deb's
# polynomial mutation with the index 15.
RATE, HALVED, INDEX = 0.1, 1000, 15.0
HIDDEN = 12  # nodes of each of the two hidden layers
USED = 0.4  # share of the weights that are not zero at first
CHANGED, SWITCHED, REPLACED = 0.2, 0.04, 0.04  # chance of a weight, of a weight's being there, of a function
STEP = 0.6  # deviation of a weight's change


@dataclass(frozen=True)
class Direct:
    """A grey level a gene; pictures of `shape`, (H, W, C), are their own genomes."""

    shape: tuple[int, ...]

    def first(self, count: int, random: np.random.Generator) -> Pictures:
        """Draw noise."""
        return random.integers(0, WHITE + 1, (count, *self.shape), dtype=np.uint8)

    def mutated(self, parents: Pictures, generation: int, random: np.random.Generator) -> Pictures:
        """Move some genes of each by polynomial mutation, not beyond the range of a pixel."""
        children = parents.copy()
        chosen = random.random(parents.shape, np.float32) < RATE * 0.5 ** (generation // HALVED)
        moved = polynomial(random.random(int(chosen.sum())))
        children[chosen] = rounded(parents[chosen] + WHITE * moved)
        return children

    def pictures(self, genomes: Pictures) -> Pictures:
        """Return them as they are."""
        return genomes

    def taken(self, genomes: Pictures, places: Sequence[int]) -> Pictures:
        """Return a copy of some of them."""
        return genomes[list(places)]

    def put(self, genomes: Pictures, places: Sequence[int], other: Pictures, chosen: Sequence[int]) -> None:
        """Replace those in `places`."""
        genomes[list(places)] = other[list(chosen)]


def polynomial(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return steps from -1 to 1, shares of the range, that are mostly small (Deb and Agrawal 1995).

    Parameters
    ----------
    uniform
        Evenly distributed from 0 to 1.
    """
    power = 1 / (INDEX + 1)
    below = (2 * uniform) ** power - 1
    return np.where(uniform < 0.5, below, 1 - (2 * (1 - np.maximum(uniform, 0.5))) ** power)


@dataclass(frozen=True)
class Drawings:
    """Genomes of n small networks that draw.

    Attributes
    ----------
    weights
        (n, 4, h), (n, h + 1, h) and (n, h + 1, C): from place, distance from the middle and one to the first
        hidden nodes, from these and one to the second, and from these and one to the colours.
    used
        Of the same shapes, bool: whether there is such a weight at all.
    function
        (n, 2, h) int8, of each hidden node: sine, bell, hyperbolic tangent, itself.
    """

    weights: tuple[NDArray[np.float64], ...]
    used: tuple[NDArray[np.bool_], ...]
    function: NDArray[np.int8]


@dataclass(frozen=True)
class Cppn:
    """Compositional pattern-producing networks: what they draw has the regularities of their functions.

    Theirs (NEAT) grow; these have two hidden layers, of which weights come and go.
    """

    shape: tuple[int, ...]

    def first(self, count: int, random: np.random.Generator) -> Drawings:
        """Draw networks with some of the weights."""
        sizes = [(4, HIDDEN), (HIDDEN + 1, HIDDEN), (HIDDEN + 1, self.shape[2])]
        weights = tuple(2 * random.standard_normal((count, *size)) for size in sizes)
        used = tuple(random.random(one.shape) < USED for one in weights)
        return Drawings(weights, used, random.integers(0, len(NODES), (count, 2, HIDDEN), dtype=np.int8))

    def mutated(self, parents: Drawings, _generation: int, random: np.random.Generator) -> Drawings:
        """Move some weights, let some come or go, and draw some functions anew."""
        weights = tuple(
            one + STEP * random.standard_normal(one.shape) * (random.random(one.shape) < CHANGED)
            for one in parents.weights
        )
        used = tuple(one ^ (random.random(one.shape) < SWITCHED) for one in parents.used)
        drawn = random.integers(0, len(NODES), parents.function.shape, dtype=np.int8)
        anew = random.random(drawn.shape) < REPLACED
        return Drawings(weights, used, np.where(anew, drawn, parents.function))

    def pictures(self, genomes: Drawings) -> Pictures:
        """Draw them, one after the other."""
        places = coordinates(*self.shape[:2])
        return np.stack([self._drawn(genomes, row, places) for row in range(len(genomes.function))])

    def _drawn(self, genomes: Drawings, row: int, places: NDArray[np.float64]) -> Pictures:
        values = places
        for layer, (weights, used) in enumerate(zip(genomes.weights, genomes.used, strict=True)):
            values = values @ np.where(used[row], weights[row], 0)
            if layer < 2:
                values = _with_one(_applied(values, genomes.function[row, layer]))
        shares = (1 + np.tanh(values)) / 2
        return rounded(WHITE * shares).reshape(self.shape)

    def taken(self, genomes: Drawings, places: Sequence[int]) -> Drawings:
        """Return a copy of some of them."""
        rows = list(places)
        weights, used = (
            tuple(one[rows] for one in genomes.weights),
            tuple(one[rows] for one in genomes.used),
        )
        return Drawings(weights, used, genomes.function[rows])

    def put(self, genomes: Drawings, places: Sequence[int], other: Drawings, chosen: Sequence[int]) -> None:
        """Replace those in `places`."""
        mine, theirs = ((*one.weights, *one.used, one.function) for one in (genomes, other))
        for part, source in zip(mine, theirs, strict=True):
            part[list(places)] = source[list(chosen)]


def coordinates(height: int, width: int) -> NDArray[np.float64]:
    """Return of each pixel y and x, -1 to 1 along the longer side, the distance from the middle, and one."""
    longest = max(height, width)
    y, x = np.mgrid[:height, :width]
    down, across = ((2 * one + 1 - side) / longest for one, side in ((y, height), (x, width)))
    return np.stack([down, across, np.hypot(down, across), np.ones_like(down)], -1).reshape(-1, 4)


def _with_one(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([values, np.ones((len(values), 1))], 1)


def _applied(values: NDArray[np.float64], function: NDArray[np.int8]) -> NDArray[np.float64]:
    """Apply each node's own function to its column."""
    found = np.empty_like(values)
    for place, one in enumerate(NODES):
        mine = function == place
        found[:, mine] = one(values[:, mine])
    return found


def _bell(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-(values**2))


def _itself(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


NODES: tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], ...] = (np.sin, _bell, np.tanh, _itself)
