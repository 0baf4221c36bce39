"""The second ranking after a pass in half precision: each unit's best candidates, forwarded again in float32.

The images of the candidates are computed like any other shard, in float32 and from the rows of one shard of
the first pass at a time, and wait in the same pool. What is kept is each candidate's new maximum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.extraction.plan import Plan, PlannedShard
from pipeline.formats.activations import open_activations
from pipeline.formats.second_ranking import LayerRanking
from pipeline.formats.shards import Shard, read_contents
from pipeline.shards.cutting import shard_key
from pipeline.topk.ranking import rank
from pipeline.topk.streaming import TopK

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class SecondPass:
    """What the second pass computes.

    Attributes
    ----------
    first
        Layer to the ranking of the first pass.
    plan
        The shards that have candidates: of each the images that are computed again.
    """

    first: Mapping[str, TopK]
    plan: Plan


def plan_second_pass(
    activations: Path, plan: Plan, image_digests: Sequence[str], candidates: int
) -> SecondPass:
    """Find the candidates of every unit and the images that they are in.

    Parameters
    ----------
    activations
        The folder of the first pass, with its index.
    plan
        That of the first pass.
    image_digests
        The sha256 of every image of the manifest.
    candidates
        Ranks of each unit; all images where there are fewer.
    """
    images = len(open_activations(activations).image_id)
    first = rank(activations, min(candidates, images))
    wanted = np.unique(np.concatenate([ranking.image_id.ravel() for ranking in first.values()]))
    recipe = replace(plan.recipe, precision="float32", statistics=False, means=False)
    digest = recipe.digest()
    shards = []
    for rows in (shard.rows for shard in plan.shards):
        ids = wanted[np.searchsorted(wanted, rows.start) : np.searchsorted(wanted, rows.stop)].tolist()
        if ids:
            key = shard_key([image_digests[image_id] for image_id in ids], digest)
            shards.append(PlannedShard(rows, key, tuple(image_id - rows.start for image_id in ids)))
    return SecondPass(first, Plan(shards, recipe, digest))


def rank_second_pass(second: SecondPass, files: Sequence[Path]) -> dict[str, LayerRanking]:
    """Rank the candidates by their maxima in float32.

    Parameters
    ----------
    second
        The plan.
    files
        The files of its shards, in its order.

    Raises
    ------
    UserError
        An image that the first pass read is gone, or a maximum is NaN.
    """
    values = {layer: np.full(first.value.shape, np.nan, np.float32) for layer, first in second.first.items()}
    positions = {layer: np.zeros_like(first.position) for layer, first in second.first.items()}
    for planned, path in zip(second.plan.shards, files, strict=True):
        shard = Shard(path, planned.rows.start + read_contents(path).offset)
        for layer, first in second.first.items():
            units, ranks, rows = _places(first.image_id, shard.image_id)
            value, position = shard.maxima(layer)
            values[layer][units, ranks] = value[rows, units]
            positions[layer][units, ranks] = position[rows, units]
    for layer, value in values.items():
        _refuse_missing(layer, value, second.first[layer].image_id)
    return {
        layer: reorder(values[layer], first.image_id, positions[layer], first.count_active)
        for layer, first in second.first.items()
    }


def reorder(
    value: NDArray[np.float32],
    image_id: NDArray[np.int64],
    position: NDArray[np.uint16],
    count_active: NDArray[np.int64],
) -> LayerRanking:
    """Order candidates by their new values.

    Parameters
    ----------
    value, image_id, position
        (U, C), (U, C) and (U, C, 2), in the order of the first ranking.
    count_active
        (U,), kept as it is.
    """
    order = np.lexsort((image_id, -value), axis=-1)
    return LayerRanking(
        np.take_along_axis(value, order, 1),
        np.take_along_axis(image_id, order, 1),
        np.take_along_axis(position, order[..., None], 1),
        order.astype(np.uint16),
        count_active,
    )


def _places(candidates: Ids, image_ids: Ids) -> tuple[Ids, Ids, Ids]:
    """Return unit, rank and row of each candidate (U, C) that is among the ascending `image_ids`."""
    rows = np.searchsorted(image_ids, candidates)
    here = (rows < len(image_ids)) & (image_ids[np.minimum(rows, len(image_ids) - 1)] == candidates)
    units, ranks = np.nonzero(here)
    return units, ranks, rows[units, ranks]


def _refuse_missing(layer: str, value: NDArray[np.float32], image_id: Ids) -> None:
    missing = np.argwhere(np.isnan(value))
    if len(missing):
        unit, rank_ = missing[0].tolist()
        raise UserError(
            f"layer '{layer}': image {image_id[unit, rank_]} gave no maximum of unit {unit} in float32; "
            "it changed during the run, or the network overflows: run again, check the weights"
        )
