"""Breaking linear classifiers: a fraction of a class's weights, added to what is classified.

Karpathy, Breaking Linear Classifiers on ImageNet, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """K classes of U numbers: the class of the largest x weight' + intercept."""

    weight: Float64
    intercept: Float64

    def predict(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the class of each of n things, (n,), given (n, U)."""
        return (values @ self.weight.T + self.intercept).argmax(1)


def fraction(classifier: Classifier, values: NDArray[np.floating], target: NDArray[np.integer]) -> Float64:
    """Return how much of its target's weights must be added to each thing until its score is the largest.

    Parameters
    ----------
    classifier
        Of K classes.
    values
        (n, U)
    target
        (n,) classes.

    Returns
    -------
    (n,)
        At least 0: the fraction where the target's score draws level with the largest other. NaN where no
        fraction does, since the weights of another class gain as much.
    """
    scores = values @ classifier.weight.T + classifier.intercept
    gains = classifier.weight[target] @ classifier.weight.T
    rows = np.arange(len(target))
    behind = scores - scores[rows, target][:, None]
    faster = gains[rows, target][:, None] - gains
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(behind <= 0, 0.0, np.where(faster > 0, behind / faster, np.inf))
    needed[rows, target] = 0
    # Where it is ahead and gains less, it is overtaken one day; by then it has been the largest or never is.
    with np.errstate(divide="ignore", invalid="ignore"):
        until = np.where((faster < 0) & (behind < 0), behind / faster, np.inf)
    least = needed.max(1)
    return np.where(np.isfinite(least) & (least <= until.min(1)), least, np.nan)


def changed(
    classifier: Classifier, values: NDArray[np.floating], direction: Float64, lengths: Float64
) -> NDArray[np.bool_]:
    """Tell where a step changes the class.

    Parameters
    ----------
    classifier
        Of K classes.
    values
        (n, U)
    direction
        (n, U); their lengths do not matter.
    lengths
        (F,) of the step, as a share of the thing's own length.

    Returns
    -------
    (F, n)
    """
    own = np.linalg.norm(values, axis=1, keepdims=True)
    unit = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    before = classifier.predict(values)
    return np.stack([classifier.predict(values + one * own * unit) != before for one in lengths])


def pooling(length: int, cells: int) -> Float64:
    """Return the matrix (cells, length) that averages neighbouring pixels of a line, all used once."""
    edges = np.linspace(0, length, cells + 1).round().astype(int)
    matrix = np.zeros((cells, length))
    for cell, (start, end) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        matrix[cell, start:end] = 1 / (end - start)
    return matrix
