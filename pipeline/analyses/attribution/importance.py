"""The names of the methods, and how much each pixel matters by the values that one gives."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Name = Literal["saliency", "deconvnet", "guided_backprop", "integrated_gradients", "smoothgrad", "grad_cam"]
METHODS: tuple[Name, ...] = get_args(Name)
# Those whose values have a sign that speaks for or against the output.
SIGNED = ("integrated_gradients", "grad_cam")


def importance(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make one number a pixel of a method's values.

    Parameters
    ----------
    name
        The method's.
    values
        (n, C, h, w).

    Returns
    -------
    (n, h, w) float32
        Of signed methods the sum over channels, above zero where a pixel speaks for the output; of the
        others the largest magnitude over channels, as Simonyan et al. draw the gradient.
    """
    found: NDArray[np.float32] = values.sum(1) if name in SIGNED else np.abs(values).max(1)
    return found
