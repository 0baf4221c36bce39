"""Which ranks of a unit show the network what an earlier rank has shown it already."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


def duplicates(image_id: Ids, images: Ids, digest: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Mark the ranks whose input the network was given at an earlier rank.

    Equal values at equal positions are no evidence: where values are bounded or few, different images have
    them too.

    Parameters
    ----------
    image_id : (U, R) int64
        The images of each rank.
    images : (N,) int64
        All images, ascending.
    digest : (N, w) uint8
        Of each one's network input; equal where the files are equal.

    Returns
    -------
    (U, R) bool
    """
    number = equal_rows(digest)[np.searchsorted(images, image_id)]
    order = np.argsort(number, axis=1, kind="stable")
    ordered = np.take_along_axis(number, order, 1)
    again = np.zeros(number.shape, np.bool_)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    marked = np.empty_like(again)
    np.put_along_axis(marked, order, again, 1)
    return marked


def equal_rows(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Number the rows of an array (N, w) of bytes so that equal rows have equal numbers, (N,)."""
    whole = np.ascontiguousarray(values).view(f"V{values.shape[1]}").ravel()
    return np.unique(whole, return_inverse=True)[1].reshape(-1)


def output_ranks(value: npt.NDArray[np.float32]) -> Ids:
    """Return how many images have a larger output, where they are ranked by a monotone function's input.

    Parameters
    ----------
    value : (U, R) float32
        The outputs in that order, which descend as well; equal ones share their rank.

    Returns
    -------
    (U, R) int64
    """
    new = np.ones(value.shape, np.bool_)
    new[:, 1:] = value[:, 1:] != value[:, :-1]
    return np.maximum.accumulate(np.where(new, np.arange(value.shape[1]), 0), axis=1)
