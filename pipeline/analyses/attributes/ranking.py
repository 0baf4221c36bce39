"""Which attributes hurt most: each alone, and beside the strongest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.attributes.binning import Bins
from pipeline.analyses.attributes.columns import Column
from pipeline.analyses.attributes.effects import Images, chance
from pipeline.numerics.contingency import Association, holm, mantel_haenszel

# Images of a stratum in which the strongest attributes are nearly equal.
STRATUM = 10


@dataclass(frozen=True)
class Ranking:
    """A attributes in order, the worst first.

    Attributes
    ----------
    order
        (A,) places among those that were given.
    chance, corrected
        (A,) in this order: of each alone, and Holm's correction of it; NaN where it was not tested.
    strength
        (A,) how much of the outcomes goes with it: the square of Cramér's V, freed of what chance adds
        (Bergsma 2013), 0 to 1.
    within
        (A,) corrected chance among images of one class, what whole classes have in common being left out; NaN
        where not tested.
    chain
        Places in the order: the strongest that survives, the strongest beside it, and so on.
    given
        (S, A) of each step: corrected chance beside the chain's first S attributes; of one that is among
        them, beside the others, or beside the second in order where it is the only one. NaN where not tested.
    """

    order: NDArray[np.int64]
    chance: NDArray[np.float64]
    corrected: NDArray[np.float64]
    strength: NDArray[np.float64]
    within: NDArray[np.float64]
    chain: tuple[int, ...]
    given: NDArray[np.float64]


def rank(
    columns: Sequence[Column],
    bins: Sequence[Bins],
    images: Images,
    *,
    repeats: int,
    steps: int,
    level: float,
) -> Ranking:
    """Rank attributes by how much they hurt.

    Parameters
    ----------
    columns, bins
        Of each attribute.
    images
        That they are of.
    repeats
        Shuffles behind the chance of each alone; more where there are very many attributes, whose correction
        asks for smaller chances.
    steps
        Attributes beside which the others are tested, at most.
    level
        Of what survives.

    Returns
    -------
    Ranking
        What survives the correction comes first, by its strength.
    """
    repeats = max(repeats, int(4 * len(bins) / level))
    alone = np.array([chance(one, images, repeats=repeats) for one in bins])
    corrected = holm(alone)
    strength = np.array([_strength(_test(one, np.zeros(len(one.place), int), images), one) for one in bins])
    with np.errstate(invalid="ignore"):
        survives = corrected < level
    order = np.lexsort((np.arange(len(bins)), -strength, ~survives))
    columns, bins = [columns[place] for place in order], [bins[place] for place in order]
    chain, given = _chain(columns, bins, images, survives[order], steps=steps, level=level)
    within = _within(bins, images)
    return Ranking(order, alone[order], corrected[order], strength[order], within, chain, given)


def _test(bins: Bins, stratum: NDArray[np.integer], images: Images) -> Association:
    known = bins.place >= 0
    return mantel_haenszel(bins.place[known], stratum[known], ~images.right[known])


def _strength(found: Association, bins: Bins) -> float:
    return max(0.0, found.statistic - found.freedom) / max(int(bins.count.sum()), 1)


def _within(bins: Sequence[Bins], images: Images) -> NDArray[np.float64]:
    """Test each attribute among images of one class; NaN where no class has two that can differ in it."""
    tests = [_test(one, images.label, images) for one in bins]
    return holm([one.chance if one.freedom else np.nan for one in tests])


def _chain(
    columns: Sequence[Column],
    bins: Sequence[Bins],
    images: Images,
    survives: NDArray[np.bool_],
    *,
    steps: int,
    level: float,
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Take the strongest attribute, test all others beside it, take the strongest of these, and so on.

    Where whole classes are in bins, images are no cases of their own, and nothing is tested.
    """
    open_to = [place for place, one in enumerate(bins) if len(one) > 1 and not one.by_class]
    chain: list[int] = []
    given = np.empty((0, len(bins)))
    following = [place for place in open_to if survives[place]][:1]
    while following and len(chain) < steps and len(open_to) > 1:
        chain += following
        tests = {place: _beside(place, chain, open_to, columns, bins, images) for place in open_to}
        row = np.full(len(bins), np.nan)
        row[open_to] = [one.chance for one in tests.values()]
        row = holm(row)
        given = np.vstack((given, row))
        strength = {place: _strength(one, bins[place]) for place, one in tests.items()}
        left = [place for place in open_to if place not in chain and row[place] < level]
        following = sorted(left, key=lambda place: -strength[place])[:1]
    return tuple(chain), given


def _beside(
    place: int,
    chain: Sequence[int],
    open_to: Sequence[int],
    columns: Sequence[Column],
    bins: Sequence[Bins],
    images: Images,
) -> Association:
    others = [one for one in chain if one != place] or [one for one in open_to if one != place][:1]
    return _test(bins[place], strata([columns[one] for one in others]), images)


def strata(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Put images together that are nearly equal in some attributes.

    Parameters
    ----------
    columns
        (N,) values each.

    Returns
    -------
    (N,) int64
        Numbers of strata: about `STRATUM` images whose values of the first follow each other, of these such
        whose values of the second do, and so on; words, and what is missing, lie apart.
    """
    count = len(columns[0].values)
    stratum = np.zeros(count, np.int64)
    for number, column in enumerate(columns):
        if column.words is not None:
            part = column.values + 1
        else:
            known = np.isfinite(column.values)
            part = np.zeros(count, np.int64)
            cut = (STRATUM / _largest(stratum)) ** (1 / (len(columns) - number))
            part[known] = 1 + _blocks(column.values[known], stratum[known], cut)
        _, stratum = np.unique(stratum * (part.max() + 1) + part, return_inverse=True)
    return stratum


def _largest(stratum: NDArray[np.int64]) -> int:
    return int(np.bincount(stratum).max())


def _blocks(values: NDArray[np.float64], stratum: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Cut each stratum into blocks of a share of the largest one, along the values."""
    order = np.lexsort((values, stratum))
    sizes = np.bincount(stratum)
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values)) - np.repeat(np.append(0, np.cumsum(sizes)[:-1]), sizes)
    length = max(STRATUM, round(sizes.max() * share))
    # Shorter ends would waste what they hold.
    blocks = np.maximum(sizes // length, 1)[stratum]
    return rank * blocks // sizes[stratum]
