"""One shard of the pass over the images, computed from its `ShardJob`, on any worker.

A shard's bytes depend on its images and on the `Recipe` alone: `pipeline.layers.batches.Batches` cuts the
shard's rows every `extract.batch_size` places, readable or not, since the last bits of a result may depend on
the images beside it; the network runs in one thread; no global row number is stored.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from distributed import get_worker

from pipeline.dataset.dataset import Dataset, open_dataset
from pipeline.dataset.originals import originals
from pipeline.extraction.recipe import DISTRIBUTIONS, Recipe
from pipeline.extraction.reduction import Reduced, Reducer, merge
from pipeline.formats import shards
from pipeline.formats.manifest import open_manifest
from pipeline.formats.weights import read_description
from pipeline.layers.batches import Batch, Batches
from pipeline.model.device import gpu_number
from pipeline.model.network import load_network
from pipeline.shards.cutting import Rows

# Reasons that say nothing of the image's bytes: a shard with such a gap is not what its key promises.
PASSING = ("changed", "missing", "unreadable", "timeout", "crashed")


@dataclass(frozen=True)
class ShardJob:
    """Rows of a manifest, and where their shard goes; all paths absolute.

    `offsets` names some of these rows, counted from their start and ascending; by default all of them.
    `guarded` decodes each image in a process of its own: for a shard that killed its workers.
    """

    manifest: Path
    dataset: Path
    rows: Rows
    target: Path
    recipe: Recipe
    recipe_digest: str
    offsets: tuple[int, ...] | None = None
    guarded: bool = False


@dataclass(frozen=True)
class Receipt:
    """What a worker says of a shard: where it is, how many images it has and lacks, how long it took."""

    path: Path
    rows: int
    skipped: int
    seconds: float


def compute_shard(job: ShardJob) -> Receipt:
    """Compute one shard and put it, whole, under its name in the pool.

    An image that cannot be read, or is no longer what the manifest says, is left out and listed under
    ``skipped/``; if that may pass, the shard goes under the name ``partial-…`` and is not taken for finished.
    """
    started = time.monotonic()
    torch.set_num_threads(1)
    engine = engine_of(job.recipe)
    batches = _batches(job)
    parts = list(reduced(engine, batches))
    may_pass = any(error.reason in PASSING for _, error in batches.skipped)
    target = job.target.with_name(f"partial-{job.target.name}") if may_pass else job.target
    _write_shard(target, batches, parts, job)
    return Receipt(target, len(batches.kept), len(batches.skipped), time.monotonic() - started)


def reduced(engine: Reducer, batches: Iterable[Batch]) -> Iterator[Reduced]:
    """Yield each batch's numbers when the next one has been decoded: a GPU works meanwhile."""
    before = None
    for batch in batches:
        if before is not None:
            # Before the next is sent: to fetch is to wait for all that the GPU was given until then.
            yield before.fetched()
        before = engine.run(batch.inputs_on(engine.device))
        before.rows[shards.INPUT_DIGEST] = torch.from_numpy(batch.digest)
    if before is not None:
        yield before.fetched()


@lru_cache(maxsize=1)
def engine_of(recipe: Recipe) -> Reducer:
    """Return what forwards and reduces this process's batches, on its GPU if it has one."""
    if recipe.device == "cuda":
        torch.cuda.set_device(gpu_number(get_worker().name, torch.cuda.device_count()))
    return Reducer(load_network(recipe.weights), recipe)


@lru_cache(maxsize=1)
def _dataset(path: Path) -> Dataset:
    return open_dataset(path)


def _batches(job: ShardJob) -> Batches:
    """Return the job's images in batches, fixed by their places in the shard."""
    offsets = range(len(job.rows)) if job.offsets is None else job.offsets
    with open_manifest(job.manifest) as manifest:
        images = originals(manifest, job.rows.start + np.array(offsets, np.int64), _dataset(job.dataset))
    preprocessing = read_description(job.recipe.weights).preprocessing
    return Batches(images, preprocessing, job.recipe.batch_size, guarded=job.guarded)


def _write_shard(path: Path, batches: Batches, parts: Sequence[Reduced], job: ShardJob) -> None:
    rows, totals = merge(parts) if parts else ({}, {})
    made_from = {"weights": job.recipe.weights_digest, "recipe": job.recipe_digest}
    skipped = [
        shards.Skipped(image_id - job.rows.start, error.reason, error.message)
        for image_id, error in batches.skipped
    ]
    shards.write_shard(
        path, rows | totals, shards.Contents(np.array(batches.kept, np.int64) - job.rows.start, skipped),
        code_layer=job.recipe.code_layer, made_from=made_from, versions=DISTRIBUTIONS,
    )  # fmt: skip
