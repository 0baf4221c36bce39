"""What is measured of a layer's output on some images: means, maxima, zeros, and how localised maps are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.numerics.maps import localisation

# Of fewer positions a tenth is less than one.
FEWEST_POSITIONS = 10


@dataclass(frozen=True)
class Measured:
    """A layer's output on n images.

    Attributes
    ----------
    mean, maxima : (n, U) float32
        Over positions.
    zeros : (n,) float32
        Share of the outputs that are zero, over units and positions.
    localisation : (n,) float32
        The mean of `pipeline.numerics.maps.localisation` over the units whose map has mass; NaN where none
        has any, and where maps have fewer than `FEWEST_POSITIONS` positions.
    """

    mean: NDArray[np.float32]
    maxima: NDArray[np.float32]
    zeros: NDArray[np.float32]
    localisation: NDArray[np.float32]


def measure(values: NDArray[np.float32]) -> Measured:
    """Measure a layer's output.

    Parameters
    ----------
    values
        (n, U, h, w), or (n, U) of a dense layer.
    """
    flat = values.reshape(*values.shape[:2], -1)
    if flat.shape[2] < FEWEST_POSITIONS:
        local = np.full(len(flat), np.nan, np.float32)
    else:
        local = _mean_of_known(localisation(values))
    return Measured(
        mean=flat.mean(2, dtype=np.float32), maxima=flat.max(2),
        zeros=(flat == 0).mean((1, 2)).astype(np.float32), localisation=local,
    )  # fmt: skip


def _mean_of_known(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of each row (n, U) over what is not NaN; NaN where all is."""
    known = np.isfinite(shares)
    total, count = np.where(known, shares, 0).sum(1, dtype=np.float64), known.sum(1)
    mean = np.divide(total, count, out=np.full(len(shares), np.nan), where=count > 0)
    return mean.astype(np.float32)


def joined(parts: Sequence[Measured]) -> Measured:
    """Put the images of several batches one after the other."""
    names = ("mean", "maxima", "zeros", "localisation")
    return Measured(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
