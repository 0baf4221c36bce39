"""The k largest maxima of every unit over a stream of images.

`TopK` keeps, for each unit, the k best images seen so far: `add` takes a batch of maxima, `merge` another
stream's result. The ranking is by value descending, ties by the smaller `image_id`, and does not depend on
how the images were batched, in which order they came, or how partial results were merged. Units whose
outputs have an upper bound are ranked by what enters them; the outputs come along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pipeline.topk.unit_counts import UnitCounts

Float32 = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Positions = npt.NDArray[np.uint16]
Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# Rows handled at once: enough to spread the cost of a merge, few enough that the scratch arrays stay small.
_ROWS = 4096
# An empty slot ranks behind every image, one whose value is -inf included; outside it reads as -1.
_NO_IMAGE = np.iinfo(np.int64).max


class TopK:
    """The k largest values of each unit, with the image and the position that gave them.

    Parameters
    ----------
    k : int
        Ranks kept for each unit, at least 1.

    Raises
    ------
    ValueError
        If `k` is below 1.
    """

    def __init__(self, k: int) -> None:
        if k < 1:
            raise ValueError(f"must have k >= 1, got k={k}")
        self.k = k
        self._value: Float32 = np.empty((0, k), np.float32)
        self._image_id: Ids = np.empty((0, k), np.int64)
        # What goes with each value: its position, and the output where that is another number.
        self._beside: tuple[npt.NDArray[Any], ...] = (np.empty((0, k, 2), np.uint16),)
        self._counts = UnitCounts()

    @property
    def value(self) -> Float32:
        """(U, k) float32, descending along each row; -inf where fewer than k images were seen."""
        return self._value

    @property
    def image_id(self) -> Ids:
        """(U, k) int64; -1 where fewer than k images were seen."""
        return np.where(self._image_id == _NO_IMAGE, np.int64(-1), self._image_id)

    @property
    def position(self) -> Positions:
        """(U, k, 2) uint16, y and x in the layer's map; 0 where fewer than k images were seen."""
        position: Positions = self._beside[0]
        return position

    @property
    def output(self) -> Float32:
        """(U, k) float32, what the unit put out on these images: the values, unless others were given."""
        output: Float32 = self._beside[1] if len(self._beside) > 1 else self._value
        return output

    @property
    def count_active(self) -> Ids:
        """(U,) int64, the number of images whose output is positive."""
        return self._counts.active

    @property
    def count_at_maximum(self) -> Ids:
        """(U,) int64, the number of images whose output is the unit's largest."""
        return self._counts.at_maximum

    def add(
        self, values: Float32, image_ids: Ids, positions: Positions, outputs: Float32 | None = None
    ) -> Self:
        """Rank a batch of images among those seen before.

        Parameters
        ----------
        values : (n, U) float32
            Each image's maximum of each unit.
        image_ids : (n,) int64
            Rows of the manifest, not negative; no image may be added twice.
        positions : (n, U, 2) uint16
            y and x of the maxima in the layer's map.
        outputs : (n, U) float32, optional
            Where units are ranked by their inputs: what they put out. Every batch has them or none.

        Returns
        -------
        TopK
            Itself.

        Raises
        ------
        ValueError
            If shapes disagree, an image id is negative, or a value is NaN (the message names unit and image):
            NaN has no rank. Batches of 4,096 rows or fewer are then left out as a whole.
        """
        image_ids = np.asarray(image_ids, np.int64)
        _check_shapes(values, image_ids, positions, outputs)
        beside: tuple[npt.NDArray[Any], ...] = (positions,) if outputs is None else (positions, outputs)
        self._start(values.shape[1], len(beside))
        if np.any(image_ids[1:] < image_ids[:-1]):
            order = np.argsort(image_ids, kind="stable")
            values, image_ids, beside = values[order], image_ids[order], _taken(beside, order)
        for start in range(0, len(image_ids), _ROWS):
            rows = slice(start, start + _ROWS)
            part = np.ascontiguousarray(values[rows], np.float32)
            self._add_rows(part, image_ids[rows], _taken(beside, rows))
        return self

    def merge(self, other: TopK) -> Self:
        """Take over the ranking of other images; `other` is left as it is.

        Parameters
        ----------
        other : TopK
            Made with the same k, over images that are not in this one.

        Returns
        -------
        TopK
            Itself.

        Raises
        ------
        ValueError
            If k or the number of units differs.
        """
        if other.k != self.k:
            raise ValueError(f"cannot merge top-{other.k} into top-{self.k}")
        if not len(other._value):
            return self
        self._start(len(other._value), len(other._beside))
        units, groups = np.arange(len(self._value)), np.repeat(np.arange(len(self._value)), self.k)
        beside = [_flat(array) for array in other._beside]
        self._insert(units, groups, other._value.ravel(), other._image_id.ravel(), beside)
        self._counts.merge(other._counts)
        return self

    def _start(self, units: int, beside: int) -> None:
        """Make room for the units of the first batch; refuse another number of units, or of arrays, later."""
        if len(self._value) and len(self._value) != units:
            raise ValueError(f"must have {len(self._value)} units as before, got {units}")
        if len(self._value) and len(self._beside) != beside:
            raise ValueError("must have outputs for all images or for none")
        if len(self._value):
            return
        self._value = np.full((units, self.k), -np.inf, np.float32)
        self._image_id = np.full((units, self.k), _NO_IMAGE, np.int64)
        position, output = np.zeros((units, self.k, 2), np.uint16), np.full_like(self._value, -np.inf)
        self._beside = (position, output)[:beside]
        self._counts = UnitCounts.none(units)

    def _add_rows(self, values: Float32, image_ids: Ids, beside: Sequence[npt.NDArray[Any]]) -> None:
        """Rank at most `_ROWS` rows, whose image ids ascend."""
        largest, floor = _bounds(values, self.k)
        _refuse_nan(largest, values, image_ids)
        self._count(values, largest, image_ids, beside)
        last, last_id = self._value[:, -1], self._image_id[:, -1]
        units = np.flatnonzero((largest > last) | ((largest == last) & (image_ids[0] < last_id)))
        if not units.size:
            return
        last, last_id = last[units], last_id[units]
        rows, columns = _candidates(_columns(values, units), np.maximum(last, floor[units]), self.k)
        value, image_id = values[rows, units[columns]], image_ids[rows]
        better = (value > last[columns]) | (image_id < last_id[columns])
        rows, columns = rows[better], columns[better]
        chosen = [array[rows, units[columns]] for array in beside]
        self._insert(units, columns, value[better], image_id[better], chosen)

    def _count(
        self, values: Float32, largest: Float32, image_ids: Ids, beside: Sequence[npt.NDArray[Any]]
    ) -> None:
        """Count the outputs, which are the values themselves where nothing else is said."""
        if len(beside) > 1:
            values = np.asarray(beside[1], np.float32)
            largest = values.max(axis=0)
            _refuse_nan(largest, values, image_ids)
        self._counts.add(values, largest)

    def _insert(
        self,
        units: Indices,
        groups: Indices,
        value: Float32,
        image_id: Ids,
        beside: Sequence[npt.NDArray[Any]],
    ) -> None:
        """Merge listed candidates, each of the unit `units[groups]`, into the rows of `units`."""
        fresh = np.all(self._image_id[units, 0] == _NO_IMAGE)
        if not fresh or np.bincount(groups, minlength=len(units)).min() < self.k:
            own = np.repeat(np.arange(len(units)), self.k)
            groups = np.concatenate([own, groups])
            value = np.concatenate([self._value[units].ravel(), value])
            image_id = np.concatenate([self._image_id[units].ravel(), image_id])
            own_beside = _taken(self._beside, units)
            beside = [np.concatenate([_flat(a), b]) for a, b in zip(own_beside, beside, strict=True)]
        order = np.lexsort((image_id, -value, groups))
        # Every unit lists at least k, so the first k of each run exist.
        starts = np.searchsorted(groups[order], np.arange(len(units)))
        best = order[starts[:, None] + np.arange(self.k)]
        self._value[units], self._image_id[units] = value[best], image_id[best]
        for kept, given in zip(self._beside, beside, strict=True):
            kept[units] = given[best]


def _taken(arrays: Iterable[npt.NDArray[Any]], rows: Indices | slice) -> tuple[npt.NDArray[Any], ...]:
    return tuple(array[rows] for array in arrays)


def _flat(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One entry a unit and rank."""
    return array.reshape(-1, *array.shape[2:])


def _check_shapes(values: Float32, image_ids: Ids, positions: Positions, outputs: Float32 | None) -> None:
    if outputs is not None and outputs.shape != values.shape:
        raise ValueError(f"must have outputs of the values' shape {values.shape}, got {outputs.shape}")
    if values.ndim != 2 or image_ids.shape != values.shape[:1] or positions.shape != (*values.shape, 2):
        raise ValueError(
            "must have values (n, U), image_ids (n,), positions (n, U, 2), got "
            f"{values.shape}, {image_ids.shape}, {positions.shape}"
        )
    if np.any(image_ids < 0):
        raise ValueError(f"must have image_ids >= 0, got {image_ids.min()}")


def _bounds(values: Float32, k: int) -> tuple[Float32, Float32]:
    """Each column's maximum, and a value that at least k of its entries reach (-inf if there are fewer rows).

    Rows are dealt out to 4k groups in turn: each group's maximum is an entry, so k entries reach the k-th
    largest of these maxima. Dealing in turn makes the bound tight for sorted columns too.
    """
    groups = min(4 * k, len(values))
    whole = len(values) // groups * groups
    maxima = values[:whole].reshape(-1, groups, values.shape[1]).max(axis=0)
    rest = values[whole:]
    np.maximum(maxima[: len(rest)], rest, out=maxima[: len(rest)])
    # A NaN sorts behind everything and comes out as the largest.
    maxima.sort(axis=0)
    return maxima[-1], maxima[-k] if groups >= k else np.full(values.shape[1], -np.inf, np.float32)


def _refuse_nan(largest: Float32, values: Float32, image_ids: Ids) -> None:
    # A maximum carries NaN on, so the reduced row tells of every entry.
    bad = np.flatnonzero(np.isnan(largest))
    if bad.size:
        row = int(np.flatnonzero(np.isnan(values[:, bad[0]]))[0])
        raise ValueError(f"unit {bad[0]} is NaN for image {image_ids[row]}: a NaN has no rank")


def _columns(values: Float32, units: Indices) -> Float32:
    return values if len(units) == values.shape[1] else np.take(values, units, axis=1)


def _candidates(values: Float32, floor: Float32, k: int) -> tuple[Indices, Indices]:
    """Rows and columns of the entries that may be among a column's k best; rows are in order of image id."""
    chosen = values >= floor
    if np.count_nonzero(chosen) > 4 * k * len(floor):
        crowded = np.flatnonzero(np.count_nonzero(chosen, axis=0) > 4 * k)
        chosen[:, crowded] = _best(_columns(values, crowded), floor[crowded], k)
    rows, columns = np.divmod(np.flatnonzero(chosen), len(floor))
    return rows, columns


def _best(values: Float32, floor: Float32, k: int) -> Bools:
    """Mark at least the k best of each column and few others, where many entries reach its floor.

    Mostly they are ties at the floor (zeros after a ReLU), of which the first rows are enough.
    """
    above = values > floor
    spread = np.flatnonzero(np.count_nonzero(above, axis=0) >= k)
    if spread.size:
        floor = floor.copy()
        floor[spread] = np.partition(values[:, spread], len(values) - k, axis=0)[len(values) - k]
        above[:, spread] = values[:, spread] > floor[spread]
    return above | _first_equal(values, floor, k)


def _first_equal(values: Float32, level: Float32, k: int) -> Bools:
    """Mark the first k entries of each column that equal its level; looks no further than it must."""
    marked = np.zeros(values.shape, np.bool_)
    missing = np.full(len(level), k)
    columns, start, length = np.arange(len(level)), 0, 2 * k
    while columns.size and start < len(values):
        equal = _columns(values[start : start + length], columns) == level[columns]
        so_far = np.cumsum(equal, axis=0, dtype=np.int32)
        marked[start : start + length, columns] = equal & (so_far <= missing[columns])
        missing[columns] -= so_far[-1]
        columns = columns[missing[columns] > 0]
        start, length = start + length, 2 * length
    return marked
