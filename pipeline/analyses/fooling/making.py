"""Images that are made: from noise and grey for outputs, and from probes for other outputs than theirs.

Each in jobs, calls that depend on no other's result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.fooling.ascent import Ascent, ascend, probability_of
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.breaking import other_classes
from pipeline.analyses.fooling.encodings import Cppn, Direct
from pipeline.analyses.fooling.evolving import Evolution, evolve
from pipeline.analyses.fooling.minimal import Search, smallest_change
from pipeline.analyses.fooling.pixels import WHITE, PixelNetwork, answers
from pipeline.formats.fooling import Minimal
from pipeline.formats.fooling_made import ENCODINGS, Ascended, Evolved


@dataclass(frozen=True)
class Generations:
    """How images are evolved: so many generations of so many offspring, for so many outputs at most."""

    generations: int
    offspring: int
    elites: int

    @property
    def passes(self) -> int:
        """How often an image is sent through the network for it, but for the elites at the end."""
        return len(ENCODINGS) * (self.generations + 1) * self.offspring if self.generations else 0


def ascents(
    network: PixelNetwork, shape: tuple[int, ...], classes: int, how: Ascent, seed: int
) -> list[Callable[[], Ascended]]:
    """Make images (H, W, C) for some outputs, drawn, each from noise and from grey, a batch a job."""
    random = np.random.default_rng(seed)
    chosen = _outputs(network, shape, classes, random)
    noise = random.uniform(0, WHITE, (len(chosen), *shape)).astype(np.float32)
    start = np.concatenate([noise, np.full_like(noise, WHITE / 2)])
    target, flat = np.tile(chosen, 2), np.repeat(np.array([0, 1], np.int8), len(chosen))
    batches = [slice(at, at + network.batch_size) for at in range(0, len(target), network.batch_size)]
    return [partial(_ascended, network, start[one], target[one], flat[one], how) for one in batches]


def _ascended(
    network: PixelNetwork,
    start: NDArray[np.float32],
    target: NDArray[np.int32],
    flat: NDArray[np.int8],
    how: Ascent,
) -> Ascended:
    picture, steps = ascend(network, start, target, how)
    logits = network.logits(picture)
    confidence = probability_of(logits, target).astype(np.float32)
    return Ascended(target, flat, picture, steps, answers(logits)[0], confidence)


def evolutions(
    network: PixelNetwork, shape: tuple[int, ...], how: Generations, seed: int
) -> list[Callable[[], Evolved]]:
    """Evolve images (H, W, C) for some outputs, drawn, an encoding of ENCODINGS a job; none in no time."""
    if not how.generations:
        return []
    chosen = _outputs(network, shape, how.elites, np.random.default_rng(seed))
    evolution = Evolution(how.generations, how.offspring, chosen)
    return [
        partial(evolve, network.logits, Direct(shape), evolution, seed),
        partial(evolve, network.logits, Cppn(shape), evolution, seed),
    ]


def _outputs(
    network: PixelNetwork, shape: tuple[int, ...], most: int, random: np.random.Generator
) -> NDArray[np.int32]:
    """Draw so many of the network's outputs at most, ascending."""
    outputs = network.logits(np.zeros((1, *shape), np.uint8)).shape[1]
    return np.sort(random.permutation(outputs)[:most]).astype(np.int32)


def changes(
    network: PixelNetwork, probes: Attacked, search: Search, seed: int
) -> list[Callable[[], Minimal]]:
    """Look for the smallest change of each probe towards another output, drawn, a probe a job."""
    if not len(probes.key):
        return []
    logits = network.logits(probes.picture)
    target = other_classes(answers(logits)[0], logits.shape[1], seed).tolist()
    pairs = zip(probes.picture, target, strict=True)
    return [partial(_changed, network, picture, wanted, search) for picture, wanted in pairs]


def _changed(network: PixelNetwork, picture: NDArray[np.uint8], target: int, search: Search) -> Minimal:
    found = smallest_change(network, picture, target, search)
    changed, penalty = found.picture[None], np.array([found.penalty])
    return Minimal(
        np.array([target], np.int32), found.change[None], penalty, np.isfinite(penalty).astype(np.int8),
        changed, np.array([found.stretch]), *answers(network.logits(changed)),
    )  # fmt: skip
