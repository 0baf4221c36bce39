"""The first few outputs for an image, with their probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOP = 5
ROWS_AT_ONCE = 256  # of logits in float64: 45 MB of ImageNet-21k


def leading_outputs(
    logits: NDArray[np.floating], count: int = TOP
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the outputs with the largest logits, the largest first, and of equal ones the first.

    Parameters
    ----------
    logits
        (n, K), finite.
    count
        Most outputs an image.

    Returns
    -------
    output, probability : (n, min(count, K))
        Their numbers and softmax probabilities.
    """
    kept = min(count, logits.shape[1])
    output = np.zeros((len(logits), kept), np.int32)
    probability = np.zeros((len(logits), kept), np.float32)
    for start in range(0, len(logits), ROWS_AT_ONCE):
        values = logits[start : start + ROWS_AT_ONCE].astype(np.float64)
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
        first = np.argsort(-values, axis=1, kind="stable")[:, :kept]
        output[start : start + len(first)] = first
        probability[start : start + len(first)] = np.take_along_axis(values, first, axis=1)
    return output, probability
