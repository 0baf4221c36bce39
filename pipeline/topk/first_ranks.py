"""A ranking beside an earlier one of the same units: which rank each image had before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.second_ranking import LayerRanking
from pipeline.topk.streaming import TopK

Ids = NDArray[np.int64]


def layer_ranking(first: TopK, second: TopK) -> LayerRanking:
    """Put the ranking of a layer beside an earlier one; `first` may be the same."""
    return LayerRanking(
        second.output, second.image_id, second.position, first_ranks(first.image_id, second.image_id),
        np.maximum(first.count_active, second.count_active), second.count_at_maximum,
        None if second.output is second.value else second.value,
    )  # fmt: skip


def first_ranks(first: Ids, second: Ids) -> NDArray[np.uint16]:
    """Return the places of images among others, unit by unit.

    Parameters
    ----------
    first
        (U, C), of each unit all different.
    second
        (U, R).

    Returns
    -------
    (U, R) uint16
        C where the image is not there.
    """
    units, count = np.arange(len(first))[:, None], first.shape[1]
    above = max(first.max(initial=0), second.max(initial=0)) + 1
    keys, wanted = (units * above + first).ravel(), units * above + second
    order = np.argsort(keys)
    found = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), keys.size - 1)]
    return np.where(keys[found] == wanted, found % count, count).astype(np.uint16)
