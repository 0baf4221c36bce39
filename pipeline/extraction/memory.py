"""What a process of the pass takes in memory: measured on a batch, said, refused where it is not there."""

import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from distributed import Client

from pipeline.errors import UserError
from pipeline.extraction.cost import row_bytes
from pipeline.extraction.plan import Plan
from pipeline.extraction.recipe import Recipe
from pipeline.extraction.shard import engine_of
from pipeline.formats.weights import read_description
from pipeline.parallel import cluster
from pipeline.parallel.memory import peak_of
from pipeline.parallel.processes import WORKERS_VARIABLE, Lost

log = logging.getLogger(__name__)

# Times what batches of one size take. Workers keep one heap (`pipeline.parallel.cluster`), and maps of a
# smaller batch leave gaps in it: of EfficientNet-Lite0, 64 photographs at a time, 1.6 GB became 2.8.
GROWTH = 2
# Bytes of a GPU that a process takes for CUDA itself, its kernels and its libraries.
CUDA_ITSELF = 700 << 20
REMEDY = "lower extract.batch_size (results change in the last bits)"


@dataclass(frozen=True)
class Peak:
    """The most that batches took: bytes of the process, with and without them, and of a GPU (else 0)."""

    process: int
    without: int
    gpu: int


def announce_memory(client: Client, plan: Plan, free: int | None) -> None:
    """Forward one batch of the plan on one worker, and say what all of them will take.

    Parameters
    ----------
    client
        The cluster.
    plan
        Its largest shard is held until it is written.
    free
        Bytes that were available before the cluster's processes started; None where that says nothing.

    Raises
    ------
    UserError
        Naming extract.batch_size, where there is too little.
    """
    recipe = plan.recipe
    ((_, peak),) = cluster.map_jobs(client, measure, [recipe], label="measuring", unit="batches")
    if isinstance(peak, Lost):
        raise UserError(
            f"extract.batch_size is {recipe.batch_size}: a batch ends its process, as too little memory "
            f"does; {REMEDY}"
        )
    process = need(plan, peak)
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    log.info(
        "memory: about %.1f GB a process, %.1f GB for %d%s%s",
        process / 1e9, workers * process / 1e9, workers,
        f"; {free / 1e9:.1f} GB are available" if free is not None else "",
        f"; {peak.gpu / 1e9:.1f} GB of a GPU each" if peak.gpu else "",
    )  # fmt: skip
    if free is not None and workers * process > free:
        raise UserError(
            f"extract.batch_size is {recipe.batch_size}: {_taking(workers)} about "
            f"{workers * process / 1e9:.1f} GB, {free / 1e9:.1f} GB are available; {REMEDY}, or "
            f"{WORKERS_VARIABLE}"
        )
    if free is not None and peak.gpu:
        check_gpus(recipe.batch_size, workers, peak.gpu)


def check_gpus(batch_size: int, workers: int, each: int) -> None:
    """Refuse more processes of this machine than its smallest GPU holds.

    Parameters
    ----------
    batch_size
        Images in a batch, for the error.
    workers
        Processes, which share the machine's GPUs.
    each
        Bytes of a GPU that one of them takes.

    Raises
    ------
    UserError
        Naming extract.batch_size.
    """
    count = torch.cuda.device_count()
    sharing = math.ceil(workers / count)
    there = min(torch.cuda.get_device_properties(number).total_memory for number in range(count))
    if sharing * each > there:
        raise UserError(
            f"extract.batch_size is {batch_size}: {_taking(sharing)} about {sharing * each / 1e9:.1f} "
            f"GB of a GPU of {there / 1e9:.1f} GB; {REMEDY}, or {WORKERS_VARIABLE}"
        )


def _taking(processes: int) -> str:
    return "a process takes" if processes == 1 else f"{processes} processes take"


def need(plan: Plan, peak: Peak) -> int:
    """Return the bytes of a process: of a batch, and of its largest shard, held twice while it is joined."""
    largest = max(shard.images for shard in plan.shards)
    batches = GROWTH * (peak.process - peak.without)
    return peak.without + batches + 2 * largest * row_bytes(plan.recipe)


def measure(recipe: Recipe) -> Peak:
    """Forward a batch of grey images twice: the first time the heap is not what it will be.

    Raises
    ------
    UserError
        Naming extract.batch_size, if the memory cannot be had; of a full GPU every stage says the same
        (`stages.command`).
    """
    torch.set_num_threads(1)
    seen, engine = read_description(recipe.weights).preprocessing, engine_of(recipe)
    shape = (recipe.batch_size, seen.channels, *seen.input_size)
    without = peak_of(lambda: None)
    try:
        process = max(peak_of(lambda: engine.run(np.zeros(shape, np.float32))) for _ in range(2))
    except (RuntimeError, MemoryError) as error:
        refused = isinstance(error, MemoryError) or "allocate" in str(error)
        if not refused or isinstance(error, torch.OutOfMemoryError):
            raise
        first = str(error).splitlines()[0]
        raise UserError(f"extract.batch_size is {recipe.batch_size}: {first}; {REMEDY}") from error
    on_gpu = CUDA_ITSELF + torch.cuda.max_memory_reserved() if recipe.device == "cuda" else 0
    return Peak(process, without, on_gpu)
