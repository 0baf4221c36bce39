"""A Dask client from the environment or a local one, and tasks mapped over its workers.

``DASK_SCHEDULER_ADDRESS`` names an existing cluster; without it, one process a core is started here
(``CONVATLAS_WORKERS`` says another number). Neither changes a result, so neither is a parameter.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, TypeVar

import dask
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, as_completed
from distributed.client import ClosedClientError

from pipeline.errors import UserError
from pipeline.parallel.processes import Lost, count_workers
from pipeline.parallel.source import module_digest
from pipeline.progress import progress

ADDRESS_VARIABLE = "DASK_SCHEDULER_ADDRESS"
RETRIES = 2
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
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
    # A job may lose one worker, by chance or beside a deadly job; `map_jobs` looks into the second time.
    "distributed.scheduler.allowed-failures": 1,
    # One job waits on each worker, so that none idles; and no more, since Dask blames all that wait on a
    # worker for its death.
    "distributed.scheduler.worker-saturation": 2.0,
}
# A local cluster closes a nanny whose worker is missing 15 s after it was lost. On a busy machine, or where
# the next one has died just then, it would lose them all, and the work would wait for ever.
LOCAL_SETTINGS = SETTINGS | {"distributed.deploy.lost-worker-timeout": "365 days"}

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
    with dask.config.set(LOCAL_SETTINGS), deaf_to_interrupts() as hear, _LocalCluster(
        n_workers=workers or count_workers(), threads_per_worker=1, processes=True, memory_limit=0,
        dashboard_address=":0", host="127.0.0.1", silence_logs=logging.CRITICAL,
    ) as cluster, Client(cluster) as client:  # fmt: skip
        try:
            hear()
            yield client
        finally:
            _end_workers(cluster)


class _LocalCluster(LocalCluster):
    """A local cluster that ends without an error where a busy machine lets its processes end too late.

    Closing waits for them for some seconds. A traceback of that would stand in place of what ended the work.
    """

    def close(self, timeout: float | None = None) -> Any:
        """Close the cluster; its workers were ended before, or end with this process."""
        with suppress(TimeoutError):
            return super().close(timeout)


@contextmanager
def deaf_to_interrupts() -> Iterator[Callable[[], None]]:
    """Yield what makes this thread hear Ctrl-C again; until then it is kept for later.

    A cluster that is closed before it has started writes a traceback. So does each worker that Ctrl-C, which
    goes to the whole group, reaches: these inherit the blocked signal, for good.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    # Where it is started later, it makes the thread that does so hear again.
    resource_tracker.ensure_running()
    kept: list[int] = []
    # Python cannot put back a handler that is not its own.
    own = [number for number in INTERRUPTS if signal.getsignal(number) is not None]
    handlers = {number: signal.signal(number, lambda number, _: kept.append(number)) for number in own}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def hear() -> None:
        # Other threads may have taken the signal, whose handler runs in this one all the same.
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        while handlers:
            signal.signal(*handlers.popitem())
        if kept:
            signal.raise_signal(kept.pop())

    try:
        yield hear
    finally:
        hear()


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
        except (CancelledError, ClosedClientError) as error:
            reason = " ".join(str(getattr(error, "reason", error)).split())
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
    """Return what decides a worker's results: a digest of each module's syntax, each version."""
    found = {name: version(name) for name in distributions}
    return found | {f"pipeline/{name.replace('.', '/')}.py": module_digest(name) for name in modules}


def map_jobs(
    client: Client, function: Callable[[Job], Receipt], jobs: Sequence[Job], *, label: str, unit: str
) -> Iterator[tuple[int, Receipt | Lost]]:
    """Run a function over jobs on the cluster's workers.

    Dask runs the jobs of a lost worker again, and gives those up that lose a second one: the job at fault and
    any that waited beside it. These are run once more when all others are done, one after the other, so that
    a job is alone on the cluster when it is blamed. An exception that the function raises is raised here.

    Parameters
    ----------
    client
        The cluster.
    function
        Pure: it may be run several times. Returns a receipt, or a result that is small.
    jobs
        Small, picklable.
    label, unit
        For the progress display.

    Yields
    ------
    tuple
        Number of the job and its receipt, in no particular order; `Lost` if the job ends its workers.

    Raises
    ------
    CancelledError
        The scheduler was lost, or it cancelled the jobs; `connect` makes a UserError of it.
    """
    with progress(label, total=len(jobs), unit=unit) as bar:
        suspects = []
        for number, receipt in _run(client, function, jobs, range(len(jobs))):
            if isinstance(receipt, Lost):
                suspects.append(number)
            else:
                yield number, receipt
                bar.advance()
        for suspect in sorted(suspects):
            yield from _run(client, function, jobs, [suspect])
            bar.advance()


def _run(
    client: Client, function: Callable[[Job], Receipt], jobs: Sequence[Job], numbers: Sequence[int]
) -> Iterator[tuple[int, Receipt | Lost]]:
    """Run some of the jobs side by side."""
    chosen = [jobs[number] for number in numbers]
    futures = client.map(function, chosen, pure=False, retries=RETRIES, batch_size=128) if chosen else []
    waiting = {future.key: number for future, number in zip(futures, numbers, strict=True)}
    try:
        for batch in as_completed(futures).batches():
            for future, receipt in _gather(client, batch):
                yield waiting.pop(future.key), receipt
                future.release()
    finally:
        # A client that has lost its scheduler has nothing to cancel and may be closed.
        if waiting and client.status == "running":
            client.cancel(futures, force=True)


def _gather(client: Client, batch: Sequence[Future]) -> Iterator[tuple[Future, Any]]:
    """Yield what became of jobs that are done, those that succeeded by one request: each costs 5 ms."""
    finished = [future for future in batch if future.status == "finished"]
    try:
        found = dict(zip(finished, client.gather(finished), strict=True))
    except KilledWorker:
        # A result went with its worker, and its job was given up when it was run again.
        found = {}
    except OSError as error:
        raise CancelledError(f"the scheduler is lost ({error})") from error
    for future in batch:
        yield future, found[future] if future in found else _result(future)


def _result(future: Future) -> Any:
    try:
        return future.result()
    except KilledWorker:
        return Lost("crashed")
