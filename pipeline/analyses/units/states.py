"""Which units are dead, nearly dead, saturated.

Dead is a unit of which every output, on every image and at every position, was zero. After a ReLU that is the
same as never positive; of a function that does not rest at zero, such as GELU or tanh, a unit that is never
positive still says something, and is not dead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def dead_units(
    smallest: NDArray[np.float32], largest: NDArray[np.float32], apoz: NDArray[np.float64] | None
) -> Bools:
    """Tell which units put out nothing but zeros, (U,) bool.

    Parameters
    ----------
    smallest, largest : (U,) float32
        Of the maxima over the images.
    apoz : (U,) float64 or None
        Share of the outputs that are zero; None where they were not counted. Then a unit whose maximum is
        zero on every image is taken for dead: what its smaller outputs were is not known.
    """
    if apoz is None:
        return (smallest == 0) & (largest == 0)
    return apoz == 1


def nearly_dead_units(active: NDArray[np.int64], images: int, rests: Bools, most: float) -> Bools:
    """Tell which units are positive on few images, but on some, and zero on the others, (U,) bool.

    Parameters
    ----------
    active : (U,) int64
        Images with a positive maximum.
    images
        Of how many.
    rests : (U,) bool
        Whether the unit is zero where it is not positive.
    most
        Share of the images below which they are few.
    """
    return (active > 0) & (active < most * images) & rests


def resting_units(
    smallest: NDArray[np.float32],
    active: NDArray[np.int64],
    images: int,
    apoz: NDArray[np.float64] | None,
) -> Bools:
    """Tell which units are zero on all images on which they are not positive, as far as that is known."""
    never_negative = smallest >= 0
    if apoz is None:
        return never_negative
    # All outputs of an image on which it is silent are zero; room for the rounding of two shares.
    return never_negative & (apoz >= 1 - active / images - 1e-12)


def saturated_units(
    at_top: NDArray[np.int64], at_bottom: NDArray[np.int64], images: int, least: float
) -> Bools:
    """Tell which units lie at one of the function's ends on at least a share of the images, (U,) bool."""
    return np.maximum(at_top, at_bottom) >= least * images
