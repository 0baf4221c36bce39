"""Curves through the plane: an order of points in which near ones follow each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def z_order(xy: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the rows of points in the order of a curve that visits near ones after each other (Morton 1966).

    Parameters
    ----------
    xy
        (N, 2); equal places keep their order.

    Returns
    -------
    (N,) int64
    """
    extent = np.ptp(xy, axis=0)
    place = ((xy - xy.min(axis=0)) / np.where(extent > 0, extent, 1) * 0xFFFF).astype(np.uint32)
    for shift, kept in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        place = (place | place << shift) & kept
    return np.argsort(place[:, 0] | place[:, 1] << 1, kind="stable")
