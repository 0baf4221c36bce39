"""How many of a unit's strongest images are the same in two rankings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Overlap:
    """Of the U units of a layer.

    Attributes
    ----------
    same : (U,) float64
        Share of a unit's images that are among those of the unit of the same number; NaN where either is
        never active. Where the two are active on fewer than k images, of as many as the larger of them has.
    best : (U,) float64
        The same with the unit of the layer with which it is largest; NaN where the unit is never active.
    best_unit : (U,) int64
        That unit; the one of the same number where several tie, else the first of them.
    """

    same: NDArray[np.float64]
    best: NDArray[np.float64]
    best_unit: NDArray[np.int64]


def overlap(
    first: NDArray[np.int64], second: NDArray[np.int64], active: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Overlap:
    """Compare the images that two rankings have of each unit.

    Parameters
    ----------
    first, second
        (U, k) what each unit's images are called in both, no number twice in a row; -1 for one that the other
        run does not have, which is in common with none.
    active
        (U,) on how many images a unit is active, in either: images after these stand in no order, the same
        in all units, and count for nothing.
    """
    units, ranks = first.shape
    sizes = [np.minimum(one, ranks) for one in active]
    first, second = (
        np.where(np.arange(ranks) < size[:, None], ids, -1)
        for ids, size in zip((first, second), sizes, strict=True)
    )
    images = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
    shared = np.asarray((_indicator(first, images) @ _indicator(second, images).T).todense())
    shared /= np.maximum(np.maximum.outer(*sizes), 1)
    shared[:, sizes[1] == 0] = -1.0
    own = np.diagonal(shared)
    best_unit = np.where(own == shared.max(axis=1), np.arange(units), shared.argmax(axis=1))
    best = shared[np.arange(units), best_unit]
    same = np.where((sizes[0] > 0) & (sizes[1] > 0), own, np.nan)
    return Overlap(same, np.where((sizes[0] > 0) & (best >= 0), best, np.nan), best_unit)


def _indicator(ids: NDArray[np.int64], images: int) -> csr_array:
    """Return (U, images), 1 where a unit has an image."""
    units, known = np.nonzero(ids >= 0)[0], ids[ids >= 0]
    return csr_array((np.ones(len(known)), (units, known)), shape=(len(ids), max(images, 1)))
