"""Reductions over shards: here where they are small, as Dask tasks where they are large.

What is large is for the caller to say from its data alone, so that where a reduction runs, and therefore its
last bits, does not depend on the machine or on a cluster being at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from distributed import Client, as_completed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.parallel import cluster
from pipeline.progress import Bar, progress

Job = TypeVar("Job")
Partial = TypeVar("Partial")
MODULES = (
    "parallel.fold", "numerics.pca", "topk.ranking", "topk.streaming", "store.artifact", "store.activations",
    "analyses.embedding.components",
)  # fmt: skip
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
        Pure; reads what its job names.
    jobs
        Small, picklable.
    large
        Whether to use the cluster.
    label
        For the progress display.
    """
    with progress(label, total=len(jobs), unit="parts") as bar:
        if not large:
            return list(_each(function, jobs, bar))
        with _cluster() as client:
            futures = client.map(_alone, [function] * len(jobs), jobs, pure=False)
            _watch(futures, bar)
            return list(client.gather(futures))


def fold(
    function: Callable[[Job], Partial],
    merge: Callable[[Partial, Partial], Partial],
    jobs: Sequence[Job],
    *,
    large: bool,
    label: str,
) -> Partial:
    """Reduce jobs: the function's results merged from the first to the last.

    Parameters
    ----------
    function
        Pure; its result must be small beside what it reads.
    merge
        Pure: changes neither of its arguments, for a task may be run twice.
    jobs
        At least one; small, picklable.
    large, label
        As for `map_in_order`.
    """
    with progress(label, total=len(jobs), unit="parts") as bar:
        if not large:
            partials = _each(function, jobs, bar)
            total = next(partials)
            for partial in partials:
                total = merge(total, partial)
            return total
        with _cluster() as client:
            futures = client.map(_alone, [function] * len(jobs), jobs, pure=False)
            last = futures[0]
            for future in futures[1:]:
                last = client.submit(merge, last, future, pure=False)
            _watch(futures, bar)
            result: Partial = last.result()
            return result


def _each(function: Callable[[Job], Partial], jobs: Sequence[Job], bar: Bar) -> Iterator[Partial]:
    for job in jobs:
        yield function(job)
        bar.advance()


def _alone(function: Callable[[Job], Partial], job: Job) -> Partial:
    """One thread a task: sums come out in one order on every worker."""
    with threadpool_limits(1):
        return function(job)


@contextmanager
def _cluster() -> Iterator[Client]:
    with cluster.connect() as client:
        if cluster.is_remote():
            cluster.preflight(client, MODULES, DISTRIBUTIONS, [])
        yield client


def _watch(futures: Sequence[Any], bar: Bar) -> None:
    for future in as_completed(futures):
        if future.status == "error":
            future.result()
        bar.advance()
