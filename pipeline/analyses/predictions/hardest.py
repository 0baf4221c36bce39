"""Which classes a network finds hard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.numerics.intervals import chance_below

# A class is called hard where chance alone gives so few right ones in so many classes this rarely.
HARD = 0.05


def hardest(right: NDArray[np.int64], labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the classes that are right more rarely than all images together, beyond what chance explains.

    The exact binomial test, `HARD` shared among all classes (Bonferroni): of a class of one image nothing
    is known, and a ranking of such classes would be one of noise.

    Parameters
    ----------
    right, labelled
        (C,) images of each class that are right, and all of it; 1 or more.

    Returns
    -------
    (H,) int64
        Places among the C, by rising share.
    """
    chance = chance_below(right, labelled, right.sum() / labelled.sum())
    hard = np.flatnonzero(chance * len(right) < HARD)
    return hard[np.argsort(right[hard] / labelled[hard], kind="stable")]
