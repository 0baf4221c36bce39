"""Axes of per cent that end where there is no more to see, and say the same as those that run to 100."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

ENDS = (5, 10, 20, 50, 100)  # per cent
_STEP = 10  # per cent


def up_to(values: ArrayLike) -> float:
    """Return where an axis from 0 ends: at 100, or sooner where everything lies below.

    Parameters
    ----------
    values
        All that is drawn, per cent; ends of intervals too. NaN is nothing.
    """
    highest = np.nanmax(np.append(np.asarray(values, np.float64), 0))
    return float(next((end for end in ENDS if highest <= end), ENDS[-1]))


def around(values: ArrayLike, chance: float) -> tuple[float, float]:
    """Return the ends of an axis in whose middle chance lies, so that either side has the same scale.

    Parameters
    ----------
    values
        All that is drawn, per cent; ends of intervals too. NaN is nothing.
    chance
        What is neither good nor bad, per cent.
    """
    apart = np.nanmax(np.append(np.abs(np.asarray(values, np.float64) - chance), 0))
    reach = max(1, math.ceil(round(apart, 6) / _STEP)) * _STEP
    return chance - reach, chance + reach
