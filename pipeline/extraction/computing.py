"""Shards computed where the pool lacks them, on the cluster."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from distributed import Client

from pipeline.errors import UserError
from pipeline.extraction.memory import announce_memory
from pipeline.extraction.plan import Plan
from pipeline.extraction.recipe import DISTRIBUTIONS
from pipeline.extraction.shard import Receipt, ShardJob, compute_shard
from pipeline.formats.manifest import open_manifest
from pipeline.model.device import arithmetic
from pipeline.parallel import cluster
from pipeline.parallel.memory import available
from pipeline.parallel.processes import WORKERS_VARIABLE, Lost, count_workers
from pipeline.shards.pool import ShardPool

# Bytes that a process is reckoned with. On a GPU ResNet-50 takes 2.9 GB with 64 images at 224, 0.7 of them
# for CUDA itself; in the machine's memory 1.4 GB, and its shard.
ON_A_GPU, BESIDE_A_GPU = 4 << 30, 2 << 30

Compute = Callable[[ShardJob], Receipt]


def compute_missing(
    plan: Plan, manifest: Path, pool: ShardPool, *, label: str, compute: Compute = compute_shard
) -> list[Path]:
    """Compute the shards that a pool lacks.

    Parameters
    ----------
    plan
        The shards.
    manifest
        What they were planned from.
    pool
        Where they are written.
    label
        For the progress display.
    compute
        What computes a shard.

    Returns
    -------
    list of Path
        The file of every planned shard. One that lacks an image that may come back is not under its key.

    Raises
    ------
    UserError
        A worker differs from this machine, the cluster is lost, or a shard ends every worker.
    """
    with open_manifest(manifest) as listed:
        dataset = Path(listed.dataset).resolve()
    jobs = [
        ShardJob(
            manifest.resolve(), dataset, shard.rows, pool.path(shard.key), plan.recipe, plan.recipe_digest,
            shard.offsets,
        )
        for shard in plan.missing(pool)
    ]  # fmt: skip
    computed = _compute(compute, jobs, plan, pool, label) if jobs else {}
    targets = [pool.path(shard.key) for shard in plan.shards]
    return [computed.get(target, target) for target in targets]


def _compute(
    compute: Compute, jobs: Sequence[ShardJob], plan: Plan, pool: ShardPool, label: str
) -> dict[Path, Path]:
    """Return where each job's shard is; one that ends its workers is tried again, guarded."""
    recipe, files = plan.recipe, {}
    # What a cluster elsewhere has is not known here.
    free = None if cluster.is_remote() else available()
    with cluster.connect(workers=processes(recipe.device, free)) as client:
        if cluster.is_remote():
            folders = [pool.folder, jobs[0].manifest, jobs[0].dataset, recipe.weights]
            cluster.preflight(client, recipe.core, DISTRIBUTIONS, folders)
            _check_processors(client, recipe.device)
        announce_memory(client, plan, free)
        deadly = []
        for number, receipt in cluster.map_jobs(client, compute, jobs, label=label, unit="shards"):
            if isinstance(receipt, Lost):
                deadly.append(replace(jobs[number], guarded=True))
            else:
                files[jobs[number].target] = receipt.path
        isolated = cluster.map_jobs(client, compute, deadly, label="isolating", unit="shards")
        for number, receipt in isolated:
            job = deadly[number]
            if isinstance(receipt, Lost):
                raise UserError(
                    f"images {job.rows.start} to {job.rows.stop - 1} of the manifest end every worker, even "
                    "where each is decoded in a process of its own; see the system's log for why"
                )
            files[job.target] = receipt.path
    return files


def _check_processors(client: Client, device: str) -> None:
    """Refuse a worker whose processor gives other last bits than the shards' keys promise."""
    here = arithmetic(device)
    for worker, found in client.run(arithmetic, device, on_error="return").items():
        if found != here:
            raise UserError(
                f"worker {worker}: computes with {found}, this machine with {here}; take workers of one kind"
            )


def processes(device: str, free: int | None) -> int:
    """Return how many processes of this machine share a pass.

    One a core unless the environment says a number, on GPUs too, since they wait for decoders: but there no
    more than fit on them and in the `free` bytes of memory.
    """
    count = count_workers()
    if device != "cuda" or os.environ.get(WORKERS_VARIABLE):
        return count
    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    fit = sum(gpu.total_memory // ON_A_GPU for gpu in gpus)
    return max(len(gpus), min(count, fit, count if free is None else free // BESIDE_A_GPU))
