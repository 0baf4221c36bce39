"""Images that are made: from noise and grey for outputs, and from probes for other outputs than theirs."""

from __future__ import annotations

import numpy as np

from pipeline.analyses.fooling.ascent import Ascent, ascend, probability_of
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.breaking import other_classes
from pipeline.analyses.fooling.minimal import Search, smallest_change
from pipeline.analyses.fooling.pixels import WHITE, PixelNetwork, answers
from pipeline.formats.fooling import Ascended, Minimal
from pipeline.progress import Bar


def make_images(
    network: PixelNetwork, shape: tuple[int, ...], classes: int, how: Ascent, seed: int
) -> Ascended:
    """Make images (H, W, C) for some outputs, drawn, each from noise and from grey."""
    random = np.random.default_rng(seed)
    outputs = network.logits(np.zeros((1, *shape), np.uint8)).shape[1]
    chosen = np.sort(random.permutation(outputs)[:classes]).astype(np.int32)
    noise = random.uniform(0, WHITE, (len(chosen), *shape)).astype(np.float32)
    start = np.concatenate([noise, np.full_like(noise, WHITE / 2)])
    target, flat = np.tile(chosen, 2), np.repeat(np.array([0, 1], np.int8), len(chosen))
    picture, steps = ascend(network, start, target, how)
    logits = network.logits(picture)
    confidence = probability_of(logits, target).astype(np.float32)
    return Ascended(target, flat, picture, steps, answers(logits)[0], confidence)


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
