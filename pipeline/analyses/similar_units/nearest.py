"""The k best of many scores, row by row, while blocks of a matrix that is never whole come by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]

# Score and number in one integer, so that larger means a higher score, or as high a one of a smaller number.
_LOW = (1 << 32) - 1
_NONE = np.iinfo(np.int64).min
# Keys that are held at once.
_BLOCK = 1 << 22


class Nearest:
    """The k best columns of each of U rows.

    Parameters
    ----------
    rows, k : int
        Rows, and columns kept for each, at least 1.
    """

    def __init__(self, rows: int, k: int) -> None:
        self._keys: Keys = np.full((rows, k), _NONE)

    def add(self, rows: slice, columns: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Take in a block.

        Parameters
        ----------
        rows
            Which rows it has, R of them.
        columns
            (C,) their numbers, 0 or more, below 2**32; none comes twice for a row.
        scores
            (R, C) -inf where a column does not count.
        """
        count = max(1, _BLOCK // max(1, len(columns)))
        for start in range(0, rows.stop - rows.start, count):
            part = scores[start : start + count]
            here = slice(rows.start + start, rows.start + start + len(part))
            self._keys[here] = _largest(
                np.hstack([self._keys[here], _keys(part, columns)]), self._keys.shape[1]
            )

    def best(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the columns and their scores, (U, k) each, best first; -1 and NaN where there are fewer."""
        keys = np.sort(self._keys, axis=1)[:, ::-1]
        empty = keys == _NONE
        column = np.where(empty, -1, _LOW - (keys & _LOW))
        return column, np.where(empty, np.float32(np.nan), _scores(keys))


def _keys(scores: NDArray[np.float32], columns: NDArray[np.int64]) -> Keys:
    """Pack finite scores (R, C) with their columns."""
    # As integers, floats order by size; the negative ones the other way round. -0 is 0.
    bits = (scores + np.float32(0)).view(np.int32)
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    keys = (ordered << 32) | (_LOW - columns)
    return np.where(np.isfinite(scores), keys, _NONE)


def _scores(keys: Keys) -> NDArray[np.float32]:
    ordered = (keys >> 32).astype(np.int32)
    return np.where(ordered < 0, ordered ^ np.int32(0x7FFFFFFF), ordered).astype(np.int32).view(np.float32)


def _largest(keys: Keys, k: int) -> Keys:
    """Return the k largest of each row, in any order."""
    return np.partition(keys, keys.shape[1] - k, axis=1)[:, -k:]
