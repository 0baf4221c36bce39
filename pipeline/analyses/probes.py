"""Which images stand for a dataset: some of each class that are right, and some that are wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, zip_longest

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]

WRONG, RIGHT, UNKNOWN = 0, 1, -1


@dataclass(frozen=True)
class Wanted:
    """How many images to draw: of each group the right and the wrong ones, and in all.

    Where groups are so few that these come to less than `least`, two, three … times as many are drawn.
    """

    right: int
    wrong: int
    least: int
    most: int


def draw(group: NDArray[np.int64], verdict: NDArray[np.int8], wanted: Wanted, seed: int) -> Rows:
    """Draw images, of every group one before any group's second, right and wrong ones in turn.

    Parameters
    ----------
    group : (N,) int64
        What each image is one of.
    verdict : (N,) int8
        RIGHT, WRONG or UNKNOWN; of the last as many are drawn as of both others together.
    wanted : Wanted
    seed : int
        Of the order of images and groups.

    Returns
    -------
    (m,) intp
        Rows in the order in which they were drawn, so that the first of them stand for the dataset, too.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(group))
    # Images of one group and verdict lie together then, in an order by lot.
    order = order[np.lexsort((verdict[order], group[order]))]
    begins = np.flatnonzero(_changes(group[order]) | _changes(verdict[order]))
    known: dict[int, dict[int, Rows]] = {}
    for begin, end in zip(begins.tolist(), np.append(begins, len(order))[1:].tolist(), strict=True):
        first = order[begin]
        known.setdefault(int(group[first]), {})[int(verdict[first])] = order[begin:end]
    groups = [known[name] for name in rng.permutation(list(known)).tolist()]
    return np.array(_enough(groups, wanted)[: wanted.most], np.intp)


def _enough(groups: Sequence[dict[int, Rows]], wanted: Wanted) -> list[int]:
    """Take of each group as often what is wanted of it as gives the least, or all there is."""
    rows: list[int] = []
    for times in count(1):
        kept = [
            {verdict: own[: times * _most(verdict, wanted)].tolist() for verdict, own in group.items()}
            for group in groups
        ]
        before, rows = len(rows), _in_rounds(kept)
        if len(rows) >= min(wanted.least, wanted.most) or len(rows) == before:
            break
    return rows


def _changes(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(N,) bool, where a value differs from the one before; the first does."""
    return np.concatenate([np.ones(min(len(values), 1), np.bool_), values[1:] != values[:-1]])


def _most(verdict: int, wanted: Wanted) -> int:
    return {RIGHT: wanted.right, WRONG: wanted.wrong}.get(verdict, wanted.right + wanted.wrong)


def _in_rounds(groups: Sequence[dict[int, list[int]]]) -> list[int]:
    """Take one image of each group, then the second of each, and so on."""
    queues = [list(_in_turn(group, right_first=place % 2 == 0)) for place, group in enumerate(groups)]
    return [row for row in chain.from_iterable(zip_longest(*queues)) if row is not None]


def _in_turn(group: dict[int, list[int]], *, right_first: bool) -> Iterator[int]:
    """Yield a group's images, right and wrong ones in turn; every other group begins with a wrong one."""
    kinds = (RIGHT, WRONG) if right_first else (WRONG, RIGHT)
    pairs = zip_longest(*(group.get(kind, []) for kind in kinds))
    yield from (row for row in chain.from_iterable(pairs) if row is not None)
    yield from group.get(UNKNOWN, [])
