"""Which layers are at the ends of a number, for a title: "from … in one to … in another"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline.contents.values import Number

# Shares of layers that differ by less are written alike, and a title compares none of them.
TOLD_APART = 0.01


class Bounded(NamedTuple):
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


def extremes(of_layer: Mapping[str, float]) -> dict[str, Number]:
    """Return which layers have the least and the most, and how much; nothing where no two are told apart.

    Parameters
    ----------
    of_layer
        By layer, a share of something.

    Returns
    -------
    dict
        ``least`` and ``most``, layers; ``least_value`` and ``most_value``.
    """
    if len(of_layer) < 2:
        return {}
    least, most = (end(of_layer, key=of_layer.__getitem__) for end in (min, max))
    if not of_layer[most] - of_layer[least] >= TOLD_APART:
        return {}
    return {"least": least, "least_value": of_layer[least], "most": most, "most_value": of_layer[most]}


def clear_extremes(of_layer: Mapping[str, Bounded]) -> dict[str, Number]:
    """Return which layers have the least and the most, as `extremes` does, of numbers with intervals.

    Nothing where the intervals of these two meet. Layers without an interval are left out.
    """
    known = {name: one for name, one in of_layer.items() if np.isfinite(one).all()}
    if not known:
        return {}
    least, most = (end(known, key=lambda name: known[name].value) for end in (min, max))
    if known[least].high >= known[most].low:
        return {}
    return {
        "least": least, "least_value": known[least].value,
        "most": most, "most_value": known[most].value,
    }  # fmt: skip
