"""People's choices beside the activations, which say what would have been right."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.humans.choices import Choice, Chosen
from pipeline.analyses.humans.scores import score
from pipeline.formats.activations import INPUT, Activations
from pipeline.formats.human_choices import Choices, Scores, rightness
from pipeline.formats.status import Status

log = logging.getLogger(__name__)

OTHERS_ONLY = Status(
    "not applicable",
    "all answers to which of two images excites a unit more are of another network, about units or images "
    "that this run does not have, or about images that excite the unit equally; where the labelling page "
    "asks it, answer anew",
)


def judge(
    chosen: Chosen, activations: Activations, image_id: Mapping[str, int], network: str
) -> Choices | Status:
    """Return how often people chose the image that excites the unit more.

    Parameters
    ----------
    chosen
        What people said.
    activations
        Whose maxima decide; a bounded layer's images are ranked by what enters it.
    image_id
        Of each path.
    network
        Digest of the weights that these are of.
    """
    mine = [one for one in chosen.choices if network.startswith(one.network)]
    known = [one for one in mine if _is_here(one, activations, image_id)]
    known.sort(key=lambda one: (activations.layers.index(one.layer), one.unit, one.annotator))
    pairs = np.array([(image_id[one.left], image_id[one.right]) for one in known], np.int64).reshape(-1, 2)
    value = _values(known, pairs, activations)
    apart = value[:, 0] != value[:, 1]
    kept = [one for one, differs in zip(known, apart.tolist(), strict=True) if differs]
    left_out = {
        "other_network": len(chosen.choices) - len(mine), "ties": int((~apart).sum()),
        "unknown": len(mine) - len(known) + chosen.unknown.total(),
    }  # fmt: skip
    for reason, count in left_out.items():
        if count:
            log.warning("%d answers on units are left out (%s)", count, reason.replace("_", " "))
    return _counted(kept, pairs[apart], value[apart], left_out) if kept else OTHERS_ONLY


def _is_here(one: Choice, activations: Activations, image_id: Mapping[str, int]) -> bool:
    """Tell whether the run has the unit, and activations of both images."""
    if one.layer not in activations.layers or one.unit >= activations.layer(one.layer).units:
        return False
    pair = [image_id[one.left], image_id[one.right]]
    return bool(np.isin(pair, activations.image_id).all())


def _values(
    known: Sequence[Choice], pairs: NDArray[np.int64], activations: Activations
) -> NDArray[np.float32]:
    """Read what the units' images are ranked by, (Q, 2); one layer of one shard in memory at a time."""
    value = np.zeros(pairs.shape, np.float32)
    unit = np.array([one.unit for one in known], np.int64)
    layers = list(_runs(known))
    for shard in activations.shards():
        for layer, rows in layers:
            ids = pairs[rows]
            inside = np.isin(ids, shard.image_id)
            if not inside.any():
                continue
            by_input = activations.layer(layer).ranked_by == INPUT
            maxima, _ = shard.input_maxima(layer) if by_input else shard.maxima(layer)
            place = np.searchsorted(shard.image_id, ids[inside])
            value[rows][inside] = maxima[place, np.repeat(unit[rows], 2)[inside.ravel()]]
    return value


def _runs(known: Sequence[Choice]) -> Iterator[tuple[str, slice]]:
    """Yield each layer and the run of its answers, which stand by layer."""
    start = 0
    for layer, run in groupby(known, key=lambda one: one.layer):
        end = start + sum(1 for _ in run)
        yield layer, slice(start, end)
        start = end


def _counted(
    kept: Sequence[Choice],
    pairs: NDArray[np.int64],
    value: NDArray[np.float32],
    left_out: Mapping[str, int],
) -> Choices:
    runs = dict(_runs(kept))
    layer = np.repeat(np.arange(len(runs)), [run.stop - run.start for run in runs.values()])
    annotators = sorted({one.annotator for one in kept})
    more = np.array([one.more for one in kept], np.int8)
    right = rightness(more, value)
    unit = np.array([one.unit for one in kept], np.int64)
    # Two layers' units of one number are two.
    of_all = layer * (unit.max() + 1) + unit
    return Choices(
        tuple(runs), _scores([score(right[run], unit[run]) for run in runs.values()]),
        _scores([score(right, of_all)]), tuple(annotators), layer.astype(np.int32),
        np.array([annotators.index(one.annotator) for one in kept], np.int32), unit, pairs, value, more,
        **left_out,
    )  # fmt: skip


def _scores(rows: Sequence[tuple[float, float, float, float]]) -> Scores:
    return Scores(*np.array(rows, np.float64).T.copy())
