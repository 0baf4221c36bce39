"""What an attack does to a sample and to other networks, and the probes as it leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from pipeline.analyses.fooling.attacks import (
    NEVER,
    Attack,
    Attacked,
    curve,
    fgsm,
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


def show_as_they_are(network: PixelNetwork, probes: Attacked) -> formats.Shown:
    """Return the probes, and what the network says of each."""
    predicted, confidence = answers(network.logits(probes.picture))
    return formats.Shown(probes.key, probes.picture, probes.output, predicted, confidence)


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


def try_on_others(
    networks: Mapping[str, nn.Module], like: PixelNetwork, sample: Attacked, distance: int
) -> formats.Transfer:
    """Try what FGSM makes for each network, asked as `like` is, on each other."""
    level, asked = np.full(len(sample.key), distance), [like.of(one) for one in networks.values()]
    made = [rounded(fgsm(one)(sample, level)) for one in asked]
    clean = np.stack([answers(one.logits(sample.picture))[0] for one in asked])
    attacked = np.stack([[answers(one.logits(pictures))[0] for one in asked] for pictures in made])
    return formats.Transfer(tuple(networks), clean, attacked)


def equal_networks(network: nn.Module, other: nn.Module) -> bool:
    """Tell whether two networks of one architecture have the same weights."""
    pairs = zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(one, same) for one, same in pairs)
