"""Reductions over shards: here where they are small, as Dask tasks where they are large.

What is large is for the caller to say from its data alone, so that where a reduction runs, and therefore its
last bits, does not depend on the machine or on a cluster being at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from typing import TypeVar

from distributed import Client
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.errors import UserError
from pipeline.parallel import cluster
from pipeline.parallel.processes import WORKERS_VARIABLE, Lost
from pipeline.parallel.source import loaded_modules
from pipeline.progress import progress

Job = TypeVar("Job")
Partial = TypeVar("Partial")
DISTRIBUTIONS = ("numpy", "scipy", "h5py")


def split(count: int, parts: int) -> list[slice]:
    """Return at most `parts` runs of nearly equal length that cover `count` things in order."""
    parts = max(1, min(parts, count))
    ends = [count * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in zip(ends, ends[1:], strict=False)]


def map_in_order(
    function: Callable[[Job], Partial], jobs: Sequence[Job], *, large: bool, label: str
) -> list[Partial]:
    """Return the results of a function over jobs, in their order.

    Parameters
    ----------
    function
        Pure; reads what its job names. It may be run several times.
    jobs
        Small, picklable; as text, what a user knows them by.
    large
        Whether to use the cluster.
    label
        For the progress display.

    Raises
    ------
    UserError
        Naming the job that ends every worker that it is given to.
    """
    return list(_results(function, jobs, large=large, label=label))


def fold(
    function: Callable[[Job], Partial],
    merge: Callable[[Partial, Partial], Partial],
    jobs: Sequence[Job],
    *,
    large: bool,
    label: str,
) -> Partial:
    """Reduce jobs: the function's results merged, in this process, from the first to the last.

    Parameters
    ----------
    function
        Pure; its result must be small beside what it reads. It may be run several times.
    merge
        Given all so far and the next.
    jobs
        At least one; small, picklable; as text, what a user knows them by.
    large, label
        As for `map_in_order`.

    Raises
    ------
    UserError
        Naming the job that ends every worker that it is given to.
    """
    return reduce(merge, _results(function, jobs, large=large, label=label))


def _results(
    function: Callable[[Job], Partial], jobs: Sequence[Job], *, large: bool, label: str
) -> Iterator[Partial]:
    """Yield the results in order; those that come early wait."""
    if not large:
        with progress(label, total=len(jobs), unit="parts") as bar:
            for job in jobs:
                yield function(job)
                bar.advance()
        return
    early: dict[int, Partial] = {}
    turn = 0
    with _cluster() as client:
        alone = partial(_alone, function)
        for number, result in cluster.map_jobs(client, alone, jobs, label=label, unit="parts"):
            if isinstance(result, Lost):
                raise UserError(
                    f"{label}: {jobs[number]} ends every process that reads it; it may need more memory than "
                    f"there is: set {WORKERS_VARIABLE} to fewer processes, or see the system's log"
                )
            early[number] = result
            while turn in early:
                yield early.pop(turn)
                turn += 1


def _alone(function: Callable[[Job], Partial], job: Job) -> Partial:
    """One thread a task: sums come out in one order on every worker."""
    with threadpool_limits(1):
        return function(job)


@contextmanager
def _cluster() -> Iterator[Client]:
    with cluster.connect() as client:
        if cluster.is_remote():
            cluster.preflight(client, loaded_modules(), DISTRIBUTIONS, [])
        yield client
