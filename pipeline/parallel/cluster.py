"""A Dask client from the environment or a local one, and tasks mapped over its workers.

``DASK_SCHEDULER_ADDRESS`` names an existing cluster; without it, one process a core is started here
(``CONVATLAS_WORKERS`` says another number). Neither changes a result, so neither is a parameter.
"""

import hashlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import dask
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, as_completed

from pipeline.errors import UserError
from pipeline.parallel.processes import count_workers
from pipeline.progress import progress

log = logging.getLogger(__name__)

ADDRESS_VARIABLE = "DASK_SCHEDULER_ADDRESS"
RETRIES = 2
CONNECT_SECONDS = 30
# One thread a process keeps sums in one order: results do not depend on the load. By default glibc gives
# large arrays pages of their own, and Dask makes it give all memory back at once, so that every batch faults
# its pages in again: a tenth to a fifth of the throughput. Here they come from one heap that is kept.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1), "MALLOC_ARENA_MAX": "1",
}  # fmt: skip
SETTINGS = {
    "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
    "distributed.worker.daemon": False,
    # Its samples of the stacks hold arrays that their functions have let go.
    "distributed.worker.profile.enabled": False,
    # What Dask does every 20, 100 and 500 ms beside the work costs a tenth of a core; nothing here needs it.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 3,
    # One job waits on each worker, so that none idles; and no more, since Dask blames all that wait on a
    # worker for its death.
    "distributed.scheduler.worker-saturation": 2.0,
}

Job = TypeVar("Job")
Receipt = TypeVar("Receipt")


def is_remote() -> bool:
    """Return whether the environment names a cluster that was not started here."""
    return bool(os.environ.get(ADDRESS_VARIABLE))


@contextmanager
def connect(*, workers: int | None = None) -> Iterator[Client]:
    """Yield a client of the cluster that the environment names, or of a local one that ends with it.

    Parameters
    ----------
    workers
        Local processes; by default `count_workers`.

    Raises
    ------
    UserError
        If the named scheduler does not answer, has no workers, or is lost.
    """
    address = os.environ.get(ADDRESS_VARIABLE)
    if address:
        with _connect_to(address) as client:
            yield client
        return
    with dask.config.set(SETTINGS), LocalCluster(
        n_workers=workers or count_workers(), threads_per_worker=1, processes=True, memory_limit=0,
        dashboard_address=":0", host="127.0.0.1", silence_logs=logging.CRITICAL,
    ) as cluster, Client(cluster) as client:  # fmt: skip
        try:
            yield client
        finally:
            _end_workers(cluster)


def _end_workers(cluster: LocalCluster) -> None:
    """End the processes at once: one that has loaded torch takes four seconds to unwind, for nothing."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)


@contextmanager
def _connect_to(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise UserError(f"{ADDRESS_VARIABLE}={address}: no scheduler answers ({error})") from error
    with _quiet_client(), client:
        try:
            client.wait_for_workers(1, timeout=60)
        except TimeoutError:
            raise UserError(
                f"{ADDRESS_VARIABLE}={address}: the scheduler has no workers; start some"
            ) from None
        try:
            yield client
        except CancelledError as error:
            reason = getattr(error, "reason", error)
            raise UserError(
                f"the work was cancelled: {reason}; finished work is kept: mend the cluster, run again"
            ) from None


@contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep the client from logging the trace of a lost connection: `connect` says it in one line."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def preflight(
    client: Client, modules: Sequence[str], distributions: Sequence[str], folders: Sequence[Path]
) -> None:
    """Check that every worker runs this source and these versions, and sees these folders.

    Parameters
    ----------
    client
        The cluster.
    modules
        Names of this package's modules that the tasks run.
    distributions
        Installed distributions whose versions must agree.
    folders
        Absolute paths that tasks read or write.

    Raises
    ------
    UserError
        Naming the worker and what differs.
    """
    wanted = fingerprint(modules, distributions)
    for worker, found in client.run(fingerprint, modules, distributions).items():
        different = sorted(name for name in wanted if found.get(name) != wanted[name])
        if different:
            raise UserError(f"worker {worker}: another {', '.join(different)} than here; install the same")
    for folder in folders:
        for worker, seen in client.run(os.path.exists, str(folder)).items():
            if not seen:
                raise UserError(f"worker {worker}: does not see {folder}; share it under the same path")


def fingerprint(modules: Sequence[str], distributions: Sequence[str]) -> dict[str, str]:
    """Return what decides a worker's results: a digest of each module's source, each version."""
    folder = Path(__file__).parents[1]
    found = {name: version(name) for name in distributions}
    for name in modules:
        source = folder / f"{name.replace('.', '/')}.py"
        found[f"pipeline/{name.replace('.', '/')}.py"] = hashlib.sha256(source.read_bytes()).hexdigest()
    return found


def map_jobs(
    client: Client, function: Callable[[Job], Receipt], jobs: Sequence[Job], *, label: str, unit: str
) -> Iterator[tuple[Job, Receipt | None]]:
    """Run a function over jobs on the cluster's workers and yield receipts as they come.

    A job whose worker is lost is run again elsewhere; one that kills worker after worker is given
    back with None, so that its caller can treat it with more care. An exception that the function
    raises is raised here.

    Parameters
    ----------
    client
        The cluster.
    function
        Pure: writes its result under a name that depends on the job alone, returns a receipt.
    jobs
        Small, picklable.
    label, unit
        For the progress display.

    Raises
    ------
    CancelledError
        The scheduler was lost, or it cancelled the jobs; `connect` makes a UserError of it.
    """
    if not jobs:
        return
    futures = client.map(function, jobs, pure=False, retries=RETRIES, batch_size=128)
    waiting = {future.key: job for future, job in zip(futures, jobs, strict=True)}
    try:
        with progress(label, total=len(jobs), unit=unit) as bar:
            for batch in as_completed(futures).batches():
                # All that are finished by now in one request: one by one they cost 5 ms a job.
                finished = [future for future in batch if future.status == "finished"]
                receipts = dict(zip(finished, _gather(client, finished), strict=True))
                for future in batch:
                    if future not in receipts and not _has_killed_workers(future):
                        future.result()
                    yield waiting.pop(future.key), receipts.get(future)
                    future.release()
                    bar.advance()
    finally:
        if waiting:
            client.cancel(futures, force=True)


def _gather(client: Client, futures: Sequence[Future]) -> list[Any]:
    try:
        return list(client.gather(futures))
    except OSError as error:
        raise CancelledError(f"the scheduler is lost ({error})") from error


def _has_killed_workers(future: Future) -> bool:
    return future.status == "error" and isinstance(future.exception(), KilledWorker)
