"""Fooling images that are evolved: MAP-Elites over the outputs, which needs no slope of the network.

Nguyen, Yosinski and Clune, Deep Neural Networks are Easily Fooled, CVPR 2015 (sections 2.2 and 3); Mouret and
Clune, Illuminating search spaces by mapping elites, arXiv 1504.04909.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.fooling_made import Evolved
from pipeline.numerics.spreading import even_places

Pictures = NDArray[np.uint8]
# The network's logits (n, K) of pictures.
Asked = Callable[[Pictures], NDArray[np.float32]]
Genomes = TypeVar("Genomes")
RECORDS = 100  # generations of which it is kept how sure the network was, at most


class Encoding(Protocol[Genomes]):
    """How images are written as genomes, of which n are handled together."""

    def first(self, count: int, random: np.random.Generator) -> Genomes:
        """Draw genomes."""

    def mutated(self, parents: Genomes, generation: int, random: np.random.Generator) -> Genomes:
        """Return a changed copy of each."""

    def pictures(self, genomes: Genomes) -> Pictures:
        """Return what they stand for, (n, H, W, C) uint8."""

    def taken(self, genomes: Genomes, places: Sequence[int]) -> Genomes:
        """Return a copy of some of them."""

    def put(self, genomes: Genomes, places: Sequence[int], other: Genomes, chosen: Sequence[int]) -> None:
        """Replace those in `places` by those of others that are chosen."""


@dataclass(frozen=True)
class Evolution:
    """For how long, with how many offspring a generation, for which outputs (T,) ascending."""

    generations: int
    offspring: int
    target: NDArray[np.int32]


def evolve(asked: Asked, encoding: Encoding[Genomes], how: Evolution, seed: int) -> Evolved:
    """Evolve an image for each output: an elite is the image of all so far that the network is surest of.

    In each generation offspring of elites, drawn with replacement, are shown to the network, and each takes
    the place of those elites whose output it is given a larger probability of, whatever it came from.

    Parameters
    ----------
    asked
        Sees whole grey levels, so that what is reached is what a file holds.
    encoding
        Of the images.
    how
        For how long, and for which outputs.
    seed
        Of all that is drawn.

    Returns
    -------
    Evolved
        Of equal probabilities the earlier image stays.
    """
    random, targets = np.random.default_rng(seed), range(len(how.target))
    born = encoding.first(how.offspring, random)
    chance = _chances(asked(encoding.pictures(born)), how.target)
    best = chance.argmax(0)
    elites, sure = encoding.taken(born, best.tolist()), chance.max(0)
    since, kept = np.zeros(len(how.target), np.int64), _recorded(how.generations)
    course = [sure.copy()]
    for generation in range(1, how.generations + 1):
        parents = random.integers(0, len(how.target), how.offspring).tolist()
        born = encoding.mutated(encoding.taken(elites, parents), generation, random)
        chance = _chances(asked(encoding.pictures(born)), how.target)
        best = chance.argmax(0)
        better = np.flatnonzero(chance[best, targets] > sure)
        encoding.put(elites, better.tolist(), born, best[better].tolist())
        sure[better], since[better] = chance[best[better], better], generation
        if generation in kept:
            course.append(sure.copy())
    picture = encoding.pictures(elites)
    predicted = asked(picture).argmax(1).astype(np.int32)
    return Evolved(
        how.target, picture, since, predicted, sure.astype(np.float32), np.array(sorted(kept), np.int64),
        np.stack(course).astype(np.float32), np.array([how.offspring]),
    )  # fmt: skip


def _recorded(generations: int) -> set[int]:
    """Return the generations of which confidences are kept, the first and the last among them."""
    return set(even_places(generations + 1, RECORDS).tolist())


def _chances(logits: NDArray[np.float32], target: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the softmax probabilities of some outputs, (n, T)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return powers[:, target] / powers.sum(1, keepdims=True)
