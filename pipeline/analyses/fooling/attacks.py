"""Attacks within a distance: no pixel moves by more than some grey levels, nor out of its range.

Goodfellow, Shlens and Szegedy, Explaining and Harnessing Adversarial Examples, ICLR 2015 (FGSM: one step);
Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018 (PGD: many).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.fooling.pixels import WHITE, PixelNetwork, answers, rounded

# Steps together go so many times as far as the distance (Madry et al.).
REACH = 2.5
# Of a picture that no distance fools, and of one that is taken for something else as it is.
NEVER, BEFORE = -1, 0

Levels = NDArray[np.integer]


@dataclass(frozen=True)
class Attacked:
    """Pictures, and what is attacked.

    Attributes
    ----------
    key : (n,) int64
        Of each picture, for what is drawn by lot.
    picture : (n, H, W, C) uint8
    output : (n,) int32
        The output that the attack makes less probable.
    """

    key: NDArray[np.int64]
    picture: NDArray[np.uint8]
    output: NDArray[np.int32]

    def take(self, rows: NDArray[np.integer]) -> Attacked:
        """Return some of them."""
        return Attacked(self.key[rows], self.picture[rows], self.output[rows])

    def parts(self, size: int) -> list[Attacked]:
        """Return all of them, so many at a time."""
        rows = np.arange(len(self.key))
        return [self.take(rows[start : start + size]) for start in range(0, len(rows), size)]


# Moves pictures, each by so many grey levels at most, (n,); what it makes is float32.
Attack = Callable[[Attacked, Levels], NDArray[np.float32]]


@dataclass(frozen=True)
class Answers:
    """What a network says of M pictures at each of E distances.

    Attributes
    ----------
    predicted : (M, E) int32
        After rounding to whole grey levels.
    confidence : (M, E) float32
        Softmax probability of what is predicted.
    exact : (M, E) int32
        What was predicted before rounding.
    """

    predicted: NDArray[np.int32]
    confidence: NDArray[np.float32]
    exact: NDArray[np.int32]


def fgsm(network: PixelNetwork) -> Attack:
    """Return the attack x + ε sign(∇loss), clipped; it asks for the slope of each picture once."""
    signs: dict[int, NDArray[np.int8]] = {}

    def attack(attacked: Attacked, level: Levels) -> NDArray[np.float32]:
        new = np.array([row for row, key in enumerate(attacked.key.tolist()) if key not in signs], np.intp)
        if len(new):
            slope, _ = network.slope(attacked.picture[new], attacked.output[new])
            signs.update(zip(attacked.key[new].tolist(), np.sign(slope).astype(np.int8), strict=True))
        sign = np.stack([signs[key] for key in attacked.key.tolist()]).astype(np.float32)
        return np.clip(attacked.picture + _spread(level) * sign, 0, WHITE)

    return attack


def pgd(network: PixelNetwork, *, steps: int, seed: int) -> Attack:
    """Return the attack of so many steps along the slope's sign, from a random place within the distance."""

    def attack(attacked: Attacked, level: Levels) -> NDArray[np.float32]:
        picture, reach = attacked.picture.astype(np.float32), _spread(level)
        low, high = np.maximum(picture - reach, 0), np.minimum(picture + reach, WHITE)
        # By its key, so that a picture's start depends on no other.
        start = [
            np.random.default_rng([seed, key]).uniform(-1, 1, picture.shape[1:])
            for key in attacked.key.tolist()
        ]
        moved = np.clip(picture + reach * np.stack(start).astype(np.float32), low, high)
        for _ in range(steps):
            slope, _ = network.slope(moved, attacked.output)
            moved = np.clip(moved + reach * np.float32(REACH / steps) * np.sign(slope), low, high)
        return moved

    return attack


def curve(network: PixelNetwork, attack: Attack, attacked: Attacked, levels: Sequence[int]) -> Answers:
    """Attack all pictures at each distance (grey levels; 0 changes nothing)."""
    columns = []
    for level in levels:
        moved = attack(attacked, np.full(len(attacked.key), level)) if level else attacked.picture
        whole = rounded(moved.astype(np.float32))
        predicted, confidence = answers(network.logits(whole))
        # FGSM moves whole levels.
        exact = predicted if np.array_equal(moved, whole) else answers(network.logits(moved))[0]
        columns.append((predicted, confidence, exact))
    return Answers(*(np.stack(column, 1) for column in zip(*columns, strict=True)))


def smallest_by_scan(
    network: PixelNetwork, attack: Attack, attacked: Attacked, largest: int
) -> NDArray[np.int64]:
    """Return the smallest distance that fools each picture, (n,): every whole level is tried, from 0.

    NEVER up to the largest; BEFORE where it is taken for something else as it is.
    """
    found = np.full(len(attacked.key), NEVER, np.int64)
    for level in range(largest + 1):
        rows = np.flatnonzero(found == NEVER)
        if not len(rows):
            break
        fooled = _fooled(network, attack, attacked.take(rows), np.full(len(rows), level))
        found[rows[fooled]] = level
    return found


def smallest_by_halving(
    network: PixelNetwork,
    attack: Attack,
    attacked: Attacked,
    levels: Sequence[int],
    fooled: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return a distance (n,) that fools each picture while one level less does not.

    Parameters
    ----------
    network, attack, attacked
        What is attacked, and how.
    levels
        (E,) ascending from 0.
    fooled
        (n, E) at which of these it is. Between the first of them and the one before, halves are tried.
    """
    first = fooled.argmax(1)
    high = np.where(fooled.any(1), np.asarray(levels)[first], NEVER)
    low = np.asarray(levels)[np.maximum(first - 1, 0)]
    while len(rows := np.flatnonzero(high - low > 1)):
        middle = (low[rows] + high[rows]) // 2
        moved = _fooled(network, attack, attacked.take(rows), middle)
        high[rows[moved]], low[rows[~moved]] = middle[moved], middle[~moved]
    return high.astype(np.int64)


def _fooled(network: PixelNetwork, attack: Attack, attacked: Attacked, level: Levels) -> NDArray[np.bool_]:
    moved = attack(attacked, level) if level.any() else attacked.picture.astype(np.float32)
    return answers(network.logits(rounded(moved)))[0] != attacked.output


def _spread(level: Levels) -> NDArray[np.float32]:
    return np.asarray(level, np.float32)[:, None, None, None]
