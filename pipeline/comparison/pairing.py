"""The images that two runs have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.manifest import ManifestFile

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """The P images whose path and bytes are the same in two manifests.

    Attributes
    ----------
    path
        (P,) text, sorted.
    first, second : (P,) int64
        Their rows in either manifest.
    other_bytes
        Paths that both have with other bytes: these are not paired.
    only_first, only_second
        Images that one of them has.
    """

    path: tuple[str, ...]
    first: Rows
    second: Rows
    other_bytes: int
    only_first: int
    only_second: int

    def __len__(self) -> int:
        return len(self.path)

    def among(self, first: Rows, second: Rows) -> tuple[Rows, Rows, Rows]:
        """Find the pairs of which both have a row in some arrays.

        Parameters
        ----------
        first, second
            (N,), (M,) image ids of the rows of an array of either run.

        Returns
        -------
        pair, first_row, second_row : (Q,) int64
            Places among the pairs, and the rows of the arrays.
        """
        ours, theirs = _places(first, self.first), _places(second, self.second)
        pair = np.flatnonzero((ours >= 0) & (theirs >= 0))
        return pair, ours[pair], theirs[pair]


def pair_images(first: ManifestFile, second: ManifestFile) -> Pairs:
    """Pair the images of two manifests by path, those whose bytes are the same."""
    theirs = {path: row for row, path in enumerate(second.path())}
    ours, other_digests = first.sha256(), second.sha256()
    found, other_bytes = [], 0
    for row, path in enumerate(first.path()):
        other = theirs.get(path)
        if other is not None and ours[row] == other_digests[other]:
            found.append((path, row, other))
        else:
            other_bytes += other is not None
    rows = np.array([pair[1:] for pair in found], np.int64).reshape(-1, 2)
    common = len(found) + other_bytes
    return Pairs(
        tuple(pair[0] for pair in found), rows[:, 0], rows[:, 1], other_bytes,
        len(first) - common, len(second) - common,
    )  # fmt: skip


def _places(image_id: Rows, wanted: Rows) -> Rows:
    """Return the row of each wanted id among the ids; -1 where it is not there."""
    order = np.argsort(image_id, kind="stable")
    at = np.searchsorted(image_id, wanted, sorter=order)
    inside = at < len(image_id)
    rows = order[np.where(inside, at, 0)] if len(image_id) else np.zeros(len(wanted), np.int64)
    return np.where(inside & (image_id[rows] == wanted), rows, -1) if len(image_id) else rows - 1
