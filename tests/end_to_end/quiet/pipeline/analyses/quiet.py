"""How often a unit stays quiet: the share of the images on which its largest activation is small."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def quiet_shares(maxima: Iterable[NDArray[np.float32]], level: float) -> NDArray[np.float64]:
    """Return the share of the images on which each of U units stays at a level or below.

    Parameters
    ----------
    maxima
        Some (n, U) arrays, each unit's largest activation on n images.
    level
        In units of the activation.

    Returns
    -------
    (U,) float64
        0 to 1.
    """
    counts = [(np.count_nonzero(block <= level, axis=0), len(block)) for block in maxima]
    return sum(quiet for quiet, _ in counts) / sum(images for _, images in counts)
