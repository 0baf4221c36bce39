"""Correlations of all pairs of units, a panel of rows at a time: what is kept is each unit's nearest.

Two passes and more: the first finds mean and spread of each unit, so that the later ones add up products of
numbers of mean 0, in float64, and nothing cancels. A panel holds some rows of the matrix of all correlations
and, since that is symmetric, only the columns from its first row on; its columns beyond are rows of later
panels, which it serves as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.analyses.similar_units.nearest import Nearest
from pipeline.analyses.similar_units.spread import Spread
from pipeline.parallel.threads import ordered

# Bytes of sums in a panel: 3,355 rows of 20,000 units' matrix.
PANEL = 1 << 29
# Images that are multiplied at once, and columns: what they are decides the last bits, not the machine.
_IMAGES, _COLUMNS = 1024, 512

Float64 = NDArray[np.float64]
Values = Callable[[slice], Iterable[NDArray[np.float32]]]


@dataclass(frozen=True)
class Neighbours:
    """The nearest units of U others.

    Attributes
    ----------
    unit : (U, k) int64
        Counted over all layers, the nearest first; -1 where there are fewer.
    correlation : (U, k) float32
        Pearson's, -1 to 1; NaN where there are fewer.
    """

    unit: NDArray[np.int64]
    correlation: NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """What is known of U units of several layers.

    Attributes
    ----------
    images
        That the correlations are over.
    varies : (U,) bool
        Whether the unit's values are finite and not all equal; others are neighbours of none.
    near, far
        The nearest units of the same layer, and of the other ones.
    """

    images: int
    varies: NDArray[np.bool_]
    near: Neighbours
    far: Neighbours


def similar_units(values: Values, units: Sequence[int], k: int, *, threads: int, panel: int = PANEL) -> Found:
    """Find the units whose values go most with each unit's over the images.

    Parameters
    ----------
    values
        Given a run of units, counted over all layers, yields the values (n, U') float32 of a run of images
        after the other, in one order; it is called once a panel and once before.
    units
        How many each layer has.
    k
        Neighbours wanted of each unit, in its own layer and in the others.
    threads
        Changes no result.
    panel
        Bytes of sums held at once.

    Returns
    -------
    Found
    """
    total = sum(units)
    spread = Spread.none(total)
    for block in _parts(values(slice(0, total))):
        spread.add(block)
    kept = _Kept(units, spread.varies, k)
    with threadpool_limits(1):
        for rows in _panels(total, panel):
            kept.add(rows, _panel(values, spread, rows, threads))
    return kept.found(spread.images)


def count_passes(units: int, panel: int = PANEL) -> int:
    """Return how often all values are read."""
    return 1 + len(_panels(units, panel))


def _panels(units: int, panel: int) -> list[slice]:
    height = max(1, panel // (8 * units))
    return [slice(start, min(start + height, units)) for start in range(0, units, height)]


def _panel(values: Values, spread: Spread, rows: slice, threads: int) -> NDArray[np.float32]:
    """Return the correlations of some units with themselves and all after them, (R, U - start) float32."""
    after = slice(rows.start, len(spread.mean))
    sums = np.zeros((rows.stop - rows.start, after.stop - after.start))
    edges = [slice(start, start + _COLUMNS) for start in range(0, sums.shape[1], _COLUMNS)]
    for block in _parts(values(after)):
        standard = spread.standardised(block, after)
        for _ in ordered(partial(_add_product, sums, standard), edges, threads=threads):
            pass
    # Rounded, equal units tie, and what is summed in another order is the same.
    return np.clip(sums, -1, 1, out=sums).astype(np.float32)


def _add_product(sums: Float64, standard: Float64, columns: slice) -> None:
    """Add to some columns of a panel what n images (n, U') give; its rows are the first units."""
    sums[:, columns] += standard[:, : len(sums)].T @ standard[:, columns]


def _parts(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for start in range(0, len(block), _IMAGES):
            yield block[start : start + _IMAGES]


class _Kept:
    """The nearest units so far, in the same layer and in others."""

    def __init__(self, units: Sequence[int], varies: NDArray[np.bool_], k: int) -> None:
        ends = np.cumsum([0, *units]).tolist()
        self._layers = [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]
        self._varies = varies
        self._near, self._far = Nearest(len(varies), k), Nearest(len(varies), k)

    def add(self, rows: slice, panel: NDArray[np.float32]) -> None:
        """Take in a panel, for its rows and for its columns beyond them."""
        height = rows.stop - rows.start
        panel[:, :height][np.diag_indices(height)] = -np.inf
        panel[~self._varies[rows]] = -np.inf
        panel[:, ~self._varies[rows.start :]] = -np.inf
        after, beyond = slice(rows.start, len(self._varies)), slice(rows.stop, len(self._varies))
        self._add(rows, after, panel)
        self._add(beyond, rows, panel[:, height:].T)

    def _add(self, rows: slice, columns: slice, scores: NDArray[np.float32]) -> None:
        numbers = np.arange(columns.start, columns.stop)
        for layer in self._layers:
            here, same = _common(rows, layer), _common(columns, layer)
            if here.start >= here.stop:
                continue
            part = scores[_within(here, rows)]
            inside = _within(same, columns)
            self._near.add(here, numbers[inside], part[:, inside])
            for others in (slice(0, inside.start), slice(inside.stop, len(numbers))):
                self._far.add(here, numbers[others], part[:, others])

    def found(self, images: int) -> Found:
        """Return what was kept."""
        return Found(images, self._varies, Neighbours(*self._near.best()), Neighbours(*self._far.best()))


def _common(one: slice, other: slice) -> slice:
    """Return what two runs have in common; of runs apart, an empty one between them or at an end."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))


def _within(part: slice, whole: slice) -> slice:
    """Return where a run lies within another, cut off at its ends."""
    length = whole.stop - whole.start
    start, stop = (min(max(edge - whole.start, 0), length) for edge in (part.start, part.stop))
    return slice(start, stop)
