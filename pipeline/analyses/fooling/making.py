"""Images that are made: from noise and grey for outputs, and from probes for other outputs than theirs."""

from __future__ import annotations

from dataclasses import dataclass

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
from pipeline.progress import Bar, progress


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


def make_images(
    network: PixelNetwork, shape: tuple[int, ...], classes: int, how: Ascent, seed: int
) -> Ascended:
    """Make images (H, W, C) for some outputs, drawn, each from noise and from grey."""
    random = np.random.default_rng(seed)
    chosen = _outputs(network, shape, classes, random)
    noise = random.uniform(0, WHITE, (len(chosen), *shape)).astype(np.float32)
    start = np.concatenate([noise, np.full_like(noise, WHITE / 2)])
    target, flat = np.tile(chosen, 2), np.repeat(np.array([0, 1], np.int8), len(chosen))
    picture, steps = ascend(network, start, target, how)
    logits = network.logits(picture)
    confidence = probability_of(logits, target).astype(np.float32)
    return Ascended(target, flat, picture, steps, answers(logits)[0], confidence)


def evolve_images(
    network: PixelNetwork, shape: tuple[int, ...], how: Generations, seed: int
) -> dict[str, Evolved]:
    """Evolve images (H, W, C) for some of the outputs, drawn, in each encoding; none in no generation."""
    if not how.generations:
        return {}
    chosen = _outputs(network, shape, how.elites, np.random.default_rng(seed))
    evolution = Evolution(how.generations, how.offspring, chosen)
    direct, drawn = ENCODINGS
    with progress("evolving", total=len(ENCODINGS) * how.generations, unit="generations") as bar:
        return {
            direct: evolve(network.logits, Direct(shape), evolution, seed, bar),
            drawn: evolve(network.logits, Cppn(shape), evolution, seed, bar),
        }


def _outputs(
    network: PixelNetwork, shape: tuple[int, ...], most: int, random: np.random.Generator
) -> NDArray[np.int32]:
    """Draw so many of the network's outputs at most, ascending."""
    outputs = network.logits(np.zeros((1, *shape), np.uint8)).shape[1]
    return np.sort(random.permutation(outputs)[:most]).astype(np.int32)


def change_probes(
    network: PixelNetwork, probes: Attacked, search: Search, seed: int, bar: Bar
) -> Minimal | None:
    """Look for the smallest change of each probe towards another output, drawn; None without probes."""
    if not len(probes.key):
        return None
    logits = network.logits(probes.picture)
    target = other_classes(answers(logits)[0], logits.shape[1], seed).astype(np.int32)
    changes = []
    for picture, wanted in zip(probes.picture, target.tolist(), strict=True):
        changes.append(smallest_change(network, picture, wanted, search))
        bar.advance()
    penalty = np.array([one.penalty for one in changes])
    found = np.stack([one.picture for one in changes])
    return Minimal(
        target, np.stack([one.change for one in changes]), penalty, np.isfinite(penalty).astype(np.int8),
        found, np.array([one.stretch for one in changes]), *answers(network.logits(found)),
    )  # fmt: skip
