"""The pass over the images: shards planned, computed where the pool lacks them, and published with an index.

- `plan`: which rows make which shard, and its key
- `extract`: announce the cost, compute what is missing on the cluster, link, write the index; after a
  pass in half precision, rank the best candidates again in float32
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from distributed import Client

from pipeline.errors import UserError
from pipeline.extraction.cost import announce
from pipeline.extraction.reduction import Kept
from pipeline.extraction.second_ranking import SecondPass, plan_second_pass, rank_second_pass
from pipeline.extraction.worker import (
    DISTRIBUTIONS,
    SOURCES,
    Receipt,
    Recipe,
    ShardJob,
    compute_shard,
)
from pipeline.formats import activations
from pipeline.formats.activations import Index, KeptLayer, Skipped
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import SecondRanking, write_second_ranking
from pipeline.formats.shards import read_contents
from pipeline.formats.weights import read_description
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.selection import select_layers
from pipeline.model.device import arithmetic, choose_device
from pipeline.model.network import load_network
from pipeline.parallel import cluster
from pipeline.parallel.processes import WORKERS_VARIABLE, Lost
from pipeline.shards.cutting import Cut, cut, key
from pipeline.shards.pool import ShardPool
from pipeline.store.replacing import replaced_folder

log = logging.getLogger(__name__)

SHOWN = 10


@dataclass(frozen=True)
class Wanted:
    """What is to be extracted, as the parameters name it.

    Attributes
    ----------
    layers
        "auto", or node names and globs.
    batch_size
        Images in a batch.
    precision
        "float32", "bfloat16" or "float16".
    statistics, means
        Whether per-unit statistics, and each image's mean activations, are kept.
    candidates
        Ranks of each unit that are computed again in float32 after a pass in half precision; 0: none.
    shard_mean, shard_largest
        Images in a shard.
    """

    layers: Literal["auto"] | tuple[str, ...]
    batch_size: int
    precision: str
    statistics: bool
    means: bool
    candidates: int
    shard_mean: int
    shard_largest: int


@dataclass(frozen=True)
class Plan:
    """The shards of a manifest: their rows, their keys, and what makes them."""

    cuts: Sequence[Cut]
    keys: Sequence[str]
    recipe: Recipe
    recipe_digest: str

    def missing(self, pool: ShardPool) -> list[tuple[Cut, str]]:
        """Return the rows and keys of the shards that a pool lacks, of equal ones the first."""
        first = {name: part for part, name in zip(reversed(self.cuts), reversed(self.keys), strict=True)}
        return [(part, name) for name, part in reversed(first.items()) if not pool.has(name)]


def extract(
    manifest: Path, weights: Path, folder: Path, wanted: Wanted, made_from: Mapping[str, str]
) -> None:
    """Make the folder of activations.

    Parameters
    ----------
    manifest
        ``manifest.h5``.
    weights
        The folder of the weights stage.
    folder
        The output; replaced when all is there.
    wanted
        What is to be extracted.
    made_from
        Digests for the index's attributes; that of the weights is added.

    Raises
    ------
    UserError
        If the disk cannot hold the result, a worker differs from this machine, or more images are
        unreadable than the dataset's params allow. Finished shards stay in the pool.
    """
    plan, pool = make_plan(manifest, weights, wanted), ShardPool()
    announce(
        [len(part) for part in plan.cuts], [len(part) for part, _ in plan.missing(pool)], plan.recipe, pool
    )
    with open_manifest(manifest) as listed:
        image_digests = listed.sha256()
    dataset = Path(listed.dataset).resolve()
    jobs = [
        ShardJob(
            manifest.resolve(), dataset, part.start, part.stop, pool.path(name), plan.recipe,
            plan.recipe_digest,
        )
        for part, name in plan.missing(pool)
    ]  # fmt: skip
    receipts = _compute(jobs, pool, "extracting") if jobs else {}
    digests = {**made_from, "weights": plan.recipe.weights_digest}
    with replaced_folder(folder) as unfinished:
        skipped = _publish(plan, pool, receipts, unfinished, digests)
        check_skipped(skipped, plan.cuts[-1].stop, listed.max_bad_fraction)
        if plan.recipe.kept.precision != "float32" and wanted.candidates:
            second = plan_second_pass(unfinished, plan.cuts, image_digests, plan.recipe, wanted.candidates)
            _extract_again(second, unfinished, manifest.resolve(), dataset, pool, digests)
    log.info("%s: %d images, %d left out", folder, plan.cuts[-1].stop - len(skipped), len(skipped))


def _extract_again(
    second: SecondPass,
    folder: Path,
    manifest: Path,
    dataset: Path,
    pool: ShardPool,
    made_from: Mapping[str, str],
) -> None:
    """Compute the candidates in float32 and write ``second_ranking.h5``."""
    log.info("%d images to forward again in float32: they hold the first candidates", second.images)
    jobs = [
        ShardJob(
            manifest, dataset, again.part.start, again.part.stop, pool.path(again.key), second.recipe,
            second.recipe_digest, offsets=again.offsets,
        )
        for again in {again.key: again for again in second.shards}.values()
        if not pool.has(again.key)
    ]  # fmt: skip
    receipts = _compute(jobs, pool, "ranking again") if jobs else {}
    ranked = rank_second_pass(second, [_file(pool, again.key, receipts) for again in second.shards])
    recipe = second.recipe
    found = SecondRanking(
        ranked, second.images, recipe.kept.precision, recipe.batch_size, arithmetic(recipe.device)
    )
    write_second_ranking(folder, found, made_from=made_from, versions=DISTRIBUTIONS)


def make_plan(manifest: Path, weights: Path, wanted: Wanted) -> Plan:
    """Choose layers, cut the manifest, and name each shard by its content."""
    with open_manifest(manifest) as listed:
        images, digests = listed.path(), listed.sha256()
    recipe = _recipe(weights, wanted)
    cuts = cut(images, mean=wanted.shard_mean, largest=wanted.shard_largest, groups=_tar_files(images))
    recipe_digest = recipe.digest()
    keys = [key(digests[part.start : part.stop], recipe_digest) for part in cuts]
    return Plan(cuts, keys, recipe, recipe_digest)


def _recipe(weights: Path, wanted: Wanted) -> Recipe:
    description, network = read_description(weights), load_network(weights)
    seen = description.preprocessing.input_size, description.preprocessing.channels
    code = code_layer(network, *seen)
    layers = select_layers(describe_layers(network, *seen), code, wanted.layers, "extract.layers")
    kept = Kept(layers, code, wanted.precision, wanted.statistics, wanted.means)
    return Recipe(weights.resolve(), description.digest, kept, wanted.batch_size, choose_device())


def _tar_files(images: Sequence[str]) -> list[str] | None:
    """Return each image's tar file, if the dataset is made of tar files: a shard never spans two."""
    if not images or ".tar/" not in images[0]:
        return None
    return [image.split(".tar/")[0] for image in images]


def _compute(jobs: Sequence[ShardJob], pool: ShardPool, label: str) -> dict[str, Receipt]:
    """Compute shards on the cluster; one that ends its workers again, its images decoded apart."""
    receipts: dict[str, Receipt] = {}
    with cluster.connect(workers=_processes(jobs[0].recipe)) as client:
        if cluster.is_remote():
            folders = [pool.folder, jobs[0].manifest, jobs[0].dataset, jobs[0].recipe.weights]
            cluster.preflight(client, SOURCES, DISTRIBUTIONS, folders)
            _check_processors(client, jobs[0].recipe.device)
        deadly = []
        for number, receipt in cluster.map_jobs(client, compute_shard, jobs, label=label, unit="shards"):
            if isinstance(receipt, Lost):
                deadly.append(replace(jobs[number], guarded=True))
            else:
                receipts[jobs[number].target.name] = receipt
        for number, receipt in cluster.map_jobs(
            client, compute_shard, deadly, label="isolating", unit="shards"
        ):
            job = deadly[number]
            if isinstance(receipt, Lost):
                raise UserError(f"images {job.start} to {job.stop} of the manifest end every worker")
            receipts[job.target.name] = receipt
    return receipts


def _check_processors(client: Client, device: str) -> None:
    """Refuse a worker whose processor gives other last bits than the shards' keys promise."""
    here = arithmetic(device)
    for worker, found in client.run(arithmetic, device, on_error="return").items():
        if found != here:
            raise UserError(
                f"worker {worker}: computes with {found}, this machine with {here}; take workers of one kind"
            )


def _processes(recipe: Recipe) -> int | None:
    """One process a GPU, unless the environment says a number; on the CPU, one a core."""
    if recipe.device != "cuda" or os.environ.get(WORKERS_VARIABLE):
        return None
    return torch.cuda.device_count()


def _publish(
    plan: Plan, pool: ShardPool, receipts: Mapping[str, Receipt], folder: Path, made_from: Mapping[str, str]
) -> list[Skipped]:
    """Fill a new folder with what the index names and nothing else; return the images that are missing."""
    parts = []
    for part, name in zip(plan.cuts, plan.keys, strict=True):
        parts.append((part.start, pool.link(_file(pool, name, receipts), folder)))
    return write_index(folder, parts, plan, made_from)


def _file(pool: ShardPool, name: str, receipts: Mapping[str, Receipt]) -> Path:
    """Return where a finished shard is: one that lacks an image that may come back has another name."""
    path = pool.path(name)
    return receipts[path.name].path if path.name in receipts else path


def write_index(
    folder: Path, parts: Sequence[tuple[int, Path]], plan: Plan, made_from: Mapping[str, str]
) -> list[Skipped]:
    """Write ``index.h5``, which names the shards in order and gives their rows global numbers.

    Parameters
    ----------
    folder
        Holds the shards already.
    parts
        Each shard's first row in the manifest, and its file.
    plan
        What made them.
    made_from
        Digests for the attributes.

    Returns
    -------
    list of Skipped
        The images that are missing.
    """
    named, skipped = [], []
    for start, path in parts:
        contents = read_contents(path)
        named.append((path.name, start + contents.offset))
        skipped += [Skipped(start + item.offset, item.reason, item.message) for item in contents.skipped]
    activations.write_index(folder, _index(plan), named, skipped, made_from=made_from, versions=DISTRIBUTIONS)
    return skipped


def _index(plan: Plan) -> Index:
    kept, recipe = plan.recipe.kept, plan.recipe
    layers = tuple(
        KeptLayer(layer.name, layer.kind, layer.units, LayerGeometry(layer.map_size, layer.receptive_field))
        for layer in kept.layers
    )
    images = plan.cuts[-1].stop
    return Index(
        layers, kept.code_layer, images, kept.precision, recipe.batch_size, arithmetic(recipe.device)
    )


def check_skipped(skipped: Sequence[Skipped], total: int, largest_share: float) -> None:
    """Say which images are missing.

    Raises
    ------
    UserError
        If they are more than the dataset's params allow.
    """
    for row, reason, message in skipped[:SHOWN]:
        log.warning("image %d left out, %s: %s", row, reason, message)
    if len(skipped) > largest_share * total:
        row, reason, message = skipped[0]
        raise UserError(
            f"{len(skipped)} of {total} images could not be read, more than dataset.max_bad_fraction "
            f"({largest_share:g}); the first: image {row}, {reason}: {message}"
        )
