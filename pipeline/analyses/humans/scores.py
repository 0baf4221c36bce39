"""How often people tell which of two images excites a unit more: of each layer a share with its interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.numerics.intervals import wilson


class Score(NamedTuple):
    """Of some answers.

    Attributes
    ----------
    share
        That are right; one that is unsure counts half, as a coin would.
    low, high
        95 % interval; units are the sample, so that answers on one unit count as alike as they are.
    effective
        As how many answers on units of their own they count.
    """

    share: float
    low: float
    high: float
    effective: float


def score(right: NDArray[np.float64], unit: NDArray[np.int64]) -> Score:
    """Return how often people are right.

    Parameters
    ----------
    right : (Q,) float64
        1, 0, and a half where it is not said; at least one.
    unit : (Q,) int64
        Which unit each is of, any numbers.

    Returns
    -------
    Score
        Wilson's interval of as many answers as the sample is worth: their number over the design effect, the
        variance between units by linearisation over that of answers independent of each other, no less than
        1 (Kish, Survey Sampling, 1965, section 5.4; Korn and Graubard, Survey Methodology 24, 1998). Where no
        answer differs from another, or there is one unit alone, each unit counts once.
    """
    answers, share = len(right), float(right.mean())
    _, place = np.unique(unit, return_inverse=True)
    units = int(place.max()) + 1
    alone = share * (1 - share) / answers
    if units == 1 or alone == 0:
        effective = float(units)
    else:
        rest = np.bincount(place, weights=right - share)
        between = units / (units - 1) * float((rest**2).sum()) / answers**2
        effective = max(answers / max(between / alone, 1.0), 1.0)
    low, high = wilson(share * effective, effective)
    return Score(share, float(low), float(high), effective)
