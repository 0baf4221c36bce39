"""What an activation map is like in a number: how much of it is zero, how much lies in one place."""

import numpy as np
from numpy.typing import NDArray

TOP = 0.1  # share of a map's positions that localisation is of


def sparsity(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of zeros in each map.

    Parameters
    ----------
    maps
        (…, h, w).

    Returns
    -------
    (…) float32
        0 to 1.
    """
    return (maps == 0).mean((-2, -1), dtype=np.float32)


def localisation(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of each map's mass in its strongest positions.

    The mass is the sum of what is positive. Where the share of the positions is not a whole number of them,
    the next one counts in part: an even map has exactly that share of its mass there, whatever its size.

    Parameters
    ----------
    maps
        (…, h, w).

    Returns
    -------
    (…) float32
        `TOP` where a map is even, 1 where all lies in these positions; NaN where nothing is positive.
    """
    positive = np.maximum(maps, 0).reshape(*maps.shape[:-2], -1)
    positions = positive.shape[-1]
    count = TOP * positions
    # Sorting all of a map takes three times as long as parting it where the strongest begin.
    next_one = max(positions - int(count) - 1, 0)
    parted = np.partition(positive, next_one, axis=-1)
    mass = parted.sum(-1, dtype=np.float64)
    strongest = parted[..., positions - int(count) :].sum(-1, dtype=np.float64)
    if int(count) < positions:
        strongest += (count - int(count)) * parted[..., next_one].astype(np.float64)
    with np.errstate(invalid="ignore"):
        return (strongest / mass).astype(np.float32)
