"""The best images of every unit after a pass in half precision, forwarded again in float32.

In half precision many maxima are equal to the last bit (bfloat16 has eight bits of mantissa), and some are
far from what they are in float32. So the images that hold the first candidates of any unit are forwarded
again, and all of them are ranked for every unit. A unit may still lack an image that no unit had as a
candidate: some of these, drawn by lot, are forwarded as well, and tell how often that is. Where it is too
often, there are more candidates; where candidates are in more than half of the images, all are forwarded and
none is lacking.

The images are computed as shards of their own kind, from the same runs of the manifest, by the same code.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.extraction.plan import Plan, PlannedShard
from pipeline.formats.activations import open_activations
from pipeline.formats.second_ranking import SecondRanking, lost_share
from pipeline.formats.shards import Shard, read_contents
from pipeline.model.device import arithmetic
from pipeline.shards.cutting import shard_key
from pipeline.topk.first_ranks import layer_ranking
from pipeline.topk.ranking import add_shard, rank, ranked_by_input
from pipeline.topk.streaming import TopK

log = logging.getLogger(__name__)

Ids = NDArray[np.int64]

# How many images are forwarded by lot, and one of how many where that is more.
SAMPLE, ONE_OF = 1024, 100
# The share of units that may lack one of the first half of their candidates.
TOLERANCE = 0.01


class SecondPass:
    """Which images are forwarded again, round by round, and their ranking.

    Parameters
    ----------
    activations
        The folder of the first pass, with its index.
    plan
        That of the first pass.
    image_digests
        The sha256 of every image of the manifest.
    candidates
        Ranks of each unit that are candidates in the first round; all images where there are fewer.
    """

    def __init__(self, activations: Path, plan: Plan, image_digests: Sequence[str], candidates: int) -> None:
        self._folder, self._first_plan, self._image_digests = activations, plan, image_digests
        self._recipe = replace(plan.recipe, precision="float32", statistics=False, means=False)
        opened = open_activations(activations)
        self._images: Ids = opened.image_id
        self._ranks = self._width = min(candidates, len(self._images))
        self._first_half = max(1, self._ranks // 2)
        self._first = rank(activations, self._ranks)
        self._ranking = {layer: TopK(self._ranks) for layer in opened.layers}
        self._by_input = ranked_by_input(opened)
        self._forwarded: Ids = np.empty(0, np.int64)
        self._sample: Ids = self._forwarded

    def next_plan(self) -> Plan | None:
        """Return the images of the next round as shards; None where few are lacking, or none is left."""
        if not len(self._forwarded):
            wanted = self._candidates(self._first)
            self._sample = _draw(np.setdiff1d(self._images, wanted))
            return self._plan(np.union1d(wanted, self._sample))
        while self.left and self.lost(self._first_half) > TOLERANCE:
            self._width = min(2 * self._width, len(self._images))
            wanted = self._candidates(rank(self._folder, self._width))
            self._sample = np.setdiff1d(self._sample, wanted)
            fresh = np.setdiff1d(wanted, self._forwarded)
            if len(fresh):
                return self._plan(fresh)
        return None

    def add(self, plan: Plan, files: Sequence[Path]) -> None:
        """Rank the images of a round by their maxima in float32.

        Raises
        ------
        UserError
            An image that the first pass read is gone, or a maximum is NaN.
        """
        ids: list[Ids] = []
        for planned, path in zip(plan.shards, files, strict=True):
            shard = Shard(path, planned.rows.start + read_contents(path).offset)
            try:
                add_shard(self._ranking, shard, self._by_input)
            except ValueError as error:
                raise UserError(f"{error}; the network overflows: check the weights") from error
            ids.append(shard.image_id)
        self._forwarded = np.union1d(self._forwarded, np.concatenate(ids))
        gone = plan.images - sum(len(found) for found in ids)
        if gone:
            raise UserError(
                f"{gone} of {plan.images} images could not be forwarded again: they changed during the run; "
                "run again"
            )

    @property
    def left(self) -> int:
        """How many images were not forwarded again."""
        return len(self._images) - len(self._forwarded)

    def lost(self, ranks: int) -> float:
        """Estimate the share of all units that lack one of their first `ranks` (`lost_share`)."""
        rankings = self._ranking.values()
        best = np.concatenate([ranked.image_id[:, :ranks] for ranked in rankings])
        shown = np.concatenate([ranked.output[:, :ranks] > 0 for ranked in rankings])
        return lost_share(best, shown, self._sample, self.left)

    def result(self) -> SecondRanking:
        """Return the ranking, and say what it may lack."""
        log.info(
            "%d of %d images forwarded again in float32; %s",
            len(self._forwarded), len(self._images), self._lacking(),
        )  # fmt: skip
        ranked = {layer: layer_ranking(self._first[layer], found) for layer, found in self._ranking.items()}
        return SecondRanking(
            ranked, len(self._forwarded), self.left, self._sample, self._recipe.precision,
            self._recipe.batch_size, arithmetic(self._recipe.device),
        )  # fmt: skip

    def _lacking(self) -> str:
        """Say how many units lack an image, and how that is known."""
        if not self.left:
            return "all are ranked, so no unit loses one of its first: 0 %"
        drawn, lost = f"{len(self._sample)} others drawn by lot", self.lost(self._first_half)
        if not lost:
            return f"of {drawn} none is among the first {self._first_half} of a unit"
        return f"{lost:.2%} of units lose one of their first {self._first_half}, judged by {drawn}"

    def _candidates(self, ranking: Mapping[str, TopK]) -> Ids:
        """Return the images of a ranking, ascending; all there are where these are more than half of them."""
        wanted = np.unique(np.concatenate([ranked.image_id.ravel() for ranked in ranking.values()]))
        return wanted if 2 * len(wanted) <= len(self._images) else self._images

    def _plan(self, wanted: Ids) -> Plan:
        digest, shards = self._recipe.digest(), []
        for rows in (shard.rows for shard in self._first_plan.shards):
            ids = wanted[np.searchsorted(wanted, rows.start) : np.searchsorted(wanted, rows.stop)].tolist()
            if ids:
                key = shard_key([self._image_digests[image_id] for image_id in ids], digest)
                shards.append(PlannedShard(rows, key, tuple(image_id - rows.start for image_id in ids)))
        return Plan(shards, self._recipe, digest)


def _draw(rest: Ids) -> Ids:
    """Draw some images by lot, of equal ones the same, ascending."""
    count = min(len(rest), max(SAMPLE, len(rest) // ONE_OF))
    return np.sort(np.random.default_rng(0).choice(rest, count, replace=False))
