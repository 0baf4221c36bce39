"""What an attack does to a sample, and the probes as it leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.analyses.fooling.attacks import (
    NEVER,
    Attack,
    Attacked,
    curve,
    smallest_by_halving,
    smallest_by_scan,
)
from pipeline.analyses.fooling.pixels import PixelNetwork, answers, rounded
from pipeline.formats import fooling as formats
from pipeline.formats.fooling import Method
from pipeline.progress import Bar


def attack_sample(
    network: PixelNetwork,
    attacks: Mapping[Method, Attack],
    sample: Attacked,
    levels: Sequence[int],
    bar: Bar,
) -> dict[Method, formats.Attack]:
    """Attack a sample at every distance (ascending from 0), and find the smallest that fools each image."""
    found: dict[Method, formats.Attack] = {}
    for method, attack in attacks.items():
        said = curve(network, attack, sample, levels)
        if method == "fgsm":
            smallest = smallest_by_scan(network, attack, sample, levels[-1])
        else:
            fooled = said.predicted != sample.output[:, None]
            smallest = smallest_by_halving(network, attack, sample, levels, fooled)
        found[method] = formats.Attack(said.predicted, said.exact, said.confidence, smallest)
        bar.advance(len(sample.key))
    return found


def show_probes(
    network: PixelNetwork,
    attacks: Mapping[Method, Attack],
    probes: Attacked,
    levels: Sequence[int],
    bar: Bar,
) -> dict[Method, formats.Fooled]:
    """Return the probes at the smallest distance that fools each, or where none does, at the largest."""
    found: dict[Method, formats.Fooled] = {}
    for method, said in attack_sample(network, attacks, probes, levels, bar).items():
        level = said.smallest
        picture = rounded(attacks[method](probes, np.where(level == NEVER, levels[-1], level)))
        found[method] = formats.Fooled(picture, level, *answers(network.logits(picture)))
    return found
