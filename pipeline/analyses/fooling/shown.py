"""What an attack does to a sample and to other networks, and the probes as it leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.analyses.fooling.attacks import (
    NEVER,
    Attack,
    Attacked,
    curve,
    fgsm,
    pgd,
    smallest_by_halving,
    smallest_by_scan,
)
from pipeline.analyses.fooling.pixels import PixelNetwork, answers, rounded
from pipeline.formats import fooling as formats
from pipeline.formats.fooling import Method

Predicted = NDArray[np.int32]


@dataclass(frozen=True)
class Attacks:
    """Attacks on a network; what becomes of a picture is its own, but for last bits, which go with its batch.

    Attributes
    ----------
    network
        What is attacked.
    levels
        Distances, ascending from 0.
    steps, seed
        Of PGD.
    """

    network: PixelNetwork
    levels: Sequence[int]
    steps: int
    seed: int

    def attack(self, method: Method, sample: Attacked) -> formats.Attack:
        """Attack pictures at every distance, and find the smallest that fools each."""
        return self._attack(self._begun(method), method, sample)

    def show(self, method: Method, probes: Attacked) -> formats.Fooled:
        """Return pictures at the smallest distance that fools each, or where none does, at the largest."""
        attack = self._begun(method)
        level = self._attack(attack, method, probes).smallest
        picture = rounded(attack(probes, np.where(level == NEVER, self.levels[-1], level)))
        return formats.Fooled(picture, level, *answers(self.network.logits(picture)))

    def _begun(self, method: Method) -> Attack:
        # Anew each time: slopes that are kept are of other batches, and of which is up to who else attacked.
        return fgsm(self.network) if method == "fgsm" else pgd(self.network, steps=self.steps, seed=self.seed)

    def _attack(self, attack: Attack, method: Method, sample: Attacked) -> formats.Attack:
        said = curve(self.network, attack, sample, self.levels)
        if method == "fgsm":
            smallest = smallest_by_scan(self.network, attack, sample, self.levels[-1])
        else:
            fooled = said.predicted != sample.output[:, None]
            smallest = smallest_by_halving(self.network, attack, sample, self.levels, fooled)
        return formats.Attack(said.predicted, said.exact, said.confidence, smallest)


def show_as_they_are(network: PixelNetwork, probes: Attacked) -> formats.Shown:
    """Return the probes, and what the network says of each."""
    predicted, confidence = answers(network.logits(probes.picture))
    return formats.Shown(probes.key, probes.picture, probes.output, predicted, confidence)


def try_on_others(
    networks: Mapping[str, PixelNetwork], sample: Attacked, distance: int, name: str
) -> tuple[Predicted, Predicted]:
    """Attack one of S networks by FGSM, and try on each what comes of it.

    Returns
    -------
    clean, attacked
        (M,), what it says of the sample as it is, and (S, M), what all say of it then.
    """
    own, level = networks[name], np.full(len(sample.key), distance)
    made = rounded(fgsm(own)(sample, level))
    attacked = np.stack([answers(one.logits(made))[0] for one in networks.values()])
    return answers(own.logits(sample.picture))[0], attacked


def transfer_of(
    names: Iterable[str], tried: Sequence[tuple[Predicted, Predicted]]
) -> formats.Transfer | None:
    """Return what was tried on each of some networks; None where there is no other one."""
    if len(tried) < 2:
        return None
    clean, attacked = (np.stack(column) for column in zip(*tried, strict=True))
    return formats.Transfer(tuple(names), clean, attacked)


def equal_networks(network: nn.Module, other: nn.Module) -> bool:
    """Tell whether two networks of one architecture have the same weights."""
    pairs = zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(one, same) for one, same in pairs)
