"""The pass as a whole: shards planned, computed where the pool lacks them, put together with an index."""

import logging
from collections.abc import Mapping
from pathlib import Path

from pipeline.extraction.computing import compute_missing
from pipeline.extraction.cost import announce
from pipeline.extraction.index import check_skipped, fill_folder
from pipeline.extraction.plan import make_plan
from pipeline.extraction.recipe import DISTRIBUTIONS, Recipe
from pipeline.extraction.second_ranking import SecondPass
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import write_second_ranking
from pipeline.shards.pool import ShardPool
from pipeline.store.replacing import replaced_folder

log = logging.getLogger(__name__)


def extract(
    manifest: Path,
    recipe: Recipe,
    folder: Path,
    made_from: Mapping[str, str],
    *,
    shard_mean: int,
    shard_largest: int,
    candidates: int,
) -> None:
    """Make the folder of activations.

    Parameters
    ----------
    manifest
        ``manifest.h5``.
    recipe
        What is computed and kept of each image; of `pipeline.extraction.plan.make_recipe`.
    folder
        The output; replaced when all is there.
    made_from
        Digests for the index's attributes; that of the weights is added.
    shard_mean, shard_largest
        Images in a shard.
    candidates
        Ranks of each unit that are computed again in float32 after a pass in half precision; 0: none.

    Raises
    ------
    UserError
        If the disk cannot hold the result, a worker differs from this machine, the cluster is lost, a shard
        ends every worker even with its images decoded apart, or more images are unreadable than the
        dataset's params allow. Finished shards stay in the pool.
    """
    plan, pool = make_plan(manifest, recipe, mean=shard_mean, largest=shard_largest), ShardPool()
    announce(plan, pool)
    files = compute_missing(plan, manifest, pool, label="extracting")
    with open_manifest(manifest) as listed:
        largest_share, image_digests = listed.max_bad_fraction, listed.sha256()
    digests = {**made_from, "weights": recipe.weights_digest}
    with replaced_folder(folder) as unfinished:
        skipped = fill_folder(unfinished, plan, files, digests)
        check_skipped(skipped, plan.images, largest_share)
        if recipe.precision != "float32" and candidates:
            second = SecondPass(unfinished, plan, image_digests, candidates)
            _rank_again(second, manifest, unfinished, pool, digests)
    log.info("%s: %d images, %d left out", folder, plan.images - len(skipped), len(skipped))


def _rank_again(
    second: SecondPass, manifest: Path, folder: Path, pool: ShardPool, made_from: Mapping[str, str]
) -> None:
    """Compute the candidates in float32 and write ``second_ranking.h5``."""
    while (plan := second.next_plan()) is not None:
        log.info("%d images to forward again in float32", plan.images)
        second.add(plan, compute_missing(plan, manifest, pool, label="ranking again"))
    write_second_ranking(folder, second.result(), made_from=made_from, versions=DISTRIBUTIONS)
