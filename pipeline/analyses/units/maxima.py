"""How the maxima of a unit over the dataset are spread: exact, from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.units.saturation import Ends

Float32 = NDArray[np.float32]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """Of U units, over N images.

    Attributes
    ----------
    smallest, largest : (U,) float32
        Of the maxima.
    quantiles : (U, Q) float32
        Interpolated linearly between neighbours in order, as `numpy.quantile` does by default.
    histogram : (U, B) int64
        Images by what they are ranked by, in bins of equal width from `low` to `high`, (U,) float32.
    active : (U,) int64
        Images with a positive maximum.
    at_top, at_bottom : (U,) int64
        Images whose maximum lies where the function's largest, and its smallest, value is all but reached; 0
        where that is not known.
    """

    smallest: Float32
    largest: Float32
    quantiles: Float32
    histogram: Counts
    low: Float32
    high: Float32
    active: Counts
    at_top: Counts
    at_bottom: Counts


def spread(
    values: Float32, keys: Float32 | None, quantiles: Sequence[float], bins: int, ends: Ends
) -> Spread:
    """Return how maxima are spread.

    Parameters
    ----------
    values
        (N, U), of at least one image, none of them NaN.
    keys
        (N, U), what the images are ranked by; None where that is the values.
    quantiles
        Q shares, 0 to 1.
    bins
        B, at least 1.
    ends
        From which outputs on the activation function is flat.
    """
    ordered = np.sort(values, axis=0)
    ranked = ordered if keys is None else np.sort(keys, axis=0)
    # Copies: a view would hold all of the sorted maxima.
    return Spread(
        smallest=ordered[0].copy(),
        largest=ordered[-1].copy(),
        quantiles=_quantiles(ordered, quantiles),
        histogram=np.stack([_histogram(column, bins) for column in ranked.T]),
        low=ranked[0].copy(),
        high=ranked[-1].copy(),
        active=np.count_nonzero(ordered > 0, axis=0),
        at_top=np.count_nonzero(ordered >= ends.top, axis=0),
        at_bottom=np.count_nonzero(ordered <= ends.bottom, axis=0),
    )


def joined(parts: Sequence[Spread]) -> Spread:
    """Return the spreads of some units and of others as one."""
    names = [field.name for field in fields(Spread)]
    return Spread(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _quantiles(ordered: Float32, shares: Sequence[float]) -> Float32:
    place = np.asarray(shares, np.float64) * (len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    low, high = ordered[below].astype(np.float64), ordered[above].astype(np.float64)
    return (low + (place - below)[:, None] * (high - low)).T.astype(np.float32)


def _histogram(column: Float32, bins: int) -> Counts:
    """Count a column, ascending; a bin has its lower edge, and the last one both."""
    inner = np.linspace(float(column[0]), float(column[-1]), bins + 1)[1:-1]
    ends = np.searchsorted(column.astype(np.float64), inner, side="left")
    return np.diff(ends, prepend=0, append=len(column))
