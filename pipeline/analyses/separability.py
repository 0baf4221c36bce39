"""Linear probes: how well a linear classifier tells classes apart by one layer's activations.

Alain and Bengio, Understanding intermediate layers using linear classifier probes, ICLR 2017 (workshop).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

# Share of the images to fit on that choose the regularisation.
VALIDATION = 0.2


@dataclass(frozen=True)
class Task:
    """What probes are to tell apart: one for all layers, so that these are compared on the same images.

    Attributes
    ----------
    label : (F,) int64
        Of the images to fit on: places in the list of classes.
    validation : (F,) bool
        Which of them choose the regularisation, before the probe is fitted again on all.
    strengths
        The inverse strengths of the regularisation (scikit-learn's C) that are tried, ascending.
    most_steps
        Of the solver, L-BFGS.
    """

    label: NDArray[np.int64]
    validation: NDArray[np.bool_]
    strengths: tuple[float, ...]
    most_steps: int


@dataclass(frozen=True)
class Probe:
    """A linear classifier of a layer's U units into K classes: the class of the largest x w' + b.

    Attributes
    ----------
    weight : (K, U) float64
        For activations as they are: the scaling that fitting used is in it.
    intercept : (K,) float64
    strength
        The inverse strength of its regularisation.
    converged
        Whether the solver ended before its last step.
    """

    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    strength: float
    converged: bool

    def predict(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the class of each of n images, (n,), given (n, U)."""
        return (values @ self.weight.T + self.intercept).argmax(1)


def make_task(label: NDArray[np.int64], strengths: Sequence[float], *, most_steps: int, seed: int) -> Task:
    """Draw the images that choose the regularisation, a fifth of each class; none of a class of one image.

    Parameters
    ----------
    label
        (F,) places in the list of classes, each of which occurs.
    strengths, most_steps
        As of `Task`.
    seed
        Of the draw.
    """
    rng, validation = np.random.default_rng(seed), np.zeros(len(label), np.bool_)
    for one in np.unique(label):
        rows = np.flatnonzero(label == one)
        # Rounded by lot, so that of many small classes a fifth is taken all the same.
        count = min(int(VALIDATION * len(rows) + rng.random()), len(rows) - 1)
        validation[rng.choice(rows, count, replace=False)] = True
    return Task(label, validation, tuple(sorted(strengths)), most_steps)


def fit_probe(values: NDArray[np.floating], task: Task) -> Probe:
    """Fit scikit-learn's logistic regression to units of mean 0 and deviation 1.

    Parameters
    ----------
    values
        (F, U): each unit on the images to fit on.
    task
        What is to be told apart.
    """
    mean, deviation = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
    # A unit that does not vary gets no weight.
    scale = np.where(deviation > 0, deviation, 1.0)
    scaled = (values - mean) / scale
    strength = _choose(scaled, task)
    model, converged = _fit(scaled, task.label, strength, task.most_steps)
    weight, intercept = model.coef_, model.intercept_
    if len(weight) == 1:
        # Of two classes one line is fitted; each gets half of it.
        weight, intercept = np.stack([-weight[0], weight[0]]) / 2, np.array([-1, 1]) * intercept / 2
    weight = weight / scale
    return Probe(weight, intercept - weight @ mean, strength, converged)


def _choose(scaled: NDArray[np.float64], task: Task) -> float:
    """Return the strength with the most right validation images, of equal ones the smallest."""
    fitted = ~task.validation
    if len(task.strengths) == 1 or not task.validation.any() or len(np.unique(task.label[fitted])) < 2:
        return task.strengths[len(task.strengths) // 2]
    right = []
    for strength in task.strengths:
        model, _ = _fit(scaled[fitted], task.label[fitted], strength, task.most_steps)
        right.append((model.predict(scaled[task.validation]) == task.label[task.validation]).sum())
    return task.strengths[int(np.argmax(right))]


def _fit(
    scaled: NDArray[np.float64], label: NDArray[np.int64], strength: float, most_steps: int
) -> tuple[LogisticRegression, bool]:
    model = LogisticRegression(C=strength, max_iter=most_steps, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Of many classes of few images scikit-learn asks whether they are numbers.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(scaled, label)
    return model, bool(model.n_iter_.max() < most_steps)
