"""Mapping a function over items in processes that may hang or die: only the item at fault is lost.

The manifest decodes with it. Extraction and reductions use `pipeline.parallel.cluster.map_jobs`, which sees
to workers that Dask loses.
"""

import multiprocessing
import os
import pickle
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from pipeline.errors import UserError

WORKERS_VARIABLE = "CONVATLAS_WORKERS"
CHUNK = 64
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """Stands for the result of an item whose process was "crashed" or ran into a "timeout"."""

    reason: str


def count_workers() -> int:
    """Return how many processes to use: ``CONVATLAS_WORKERS``, by default one a core.

    Raises
    ------
    UserError
        If the variable is no positive number.
    """
    given = os.environ.get(WORKERS_VARIABLE, "")
    if not given:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not given.isdigit() or int(given) < 1:
        raise UserError(f"{WORKERS_VARIABLE}: must be a whole number of at least 1, got '{given}'")
    return int(given)


def map_guarded(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    seconds: float,
    chunk: int = CHUNK,
) -> Iterator[tuple[int, Result | Lost]]:
    """Apply a function to every item in several processes.

    Parameters
    ----------
    function
        Called in the processes; what it returns must be picklable. An exception ends the whole map and is
        raised here; one that cannot be pickled becomes a RuntimeError.
    items
        What it is called with.
    workers
        Number of processes.
    seconds
        An item that takes longer is given up, and its process ended.
    chunk
        Items that a process is given at a time.

    Yields
    ------
    tuple
        Number of the item and its result, in no particular order; `Lost` if its process hung or died.
    """
    pool = _Pool(function, items, workers, seconds, chunk)
    try:
        yield from pool.results()
    finally:
        pool.stop()


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    beat: Any  # when it began its present item, seconds of the monotonic clock
    numbers: range


class _Pool(Generic[Item, Result]):
    """Processes that each work on one chunk; a chunk whose process was lost is done again item by item."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        workers: int,
        seconds: float,
        chunk: int,
    ) -> None:
        self._function, self._items, self._seconds = function, items, seconds
        chunks = [range(start, min(start + chunk, len(items))) for start in range(0, len(items), chunk)]
        self._chunks = deque(chunks)
        self._count = max(1, min(workers, len(chunks)))
        self._workers: list[_Worker] = []

    def results(self) -> Iterator[tuple[int, Result | Lost]]:
        while self._chunks or self._workers:
            while self._chunks and len(self._workers) < self._count:
                self._workers.append(self._start())
            wait([worker.pipe for worker in self._workers], timeout=self._until_next())
            for worker in list(self._workers):
                yield from self._collect(worker)

    def stop(self) -> None:
        for worker in list(self._workers):
            self._end(worker)

    def _start(self) -> _Worker:
        # Forking is safe here (no other thread computes) and spares every process the imports and the items.
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        beat = context.RawValue("d", time.monotonic())
        inherited = [here, *(worker.pipe for worker in self._workers)]
        arguments = (self._function, self._items, there, beat, inherited)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        there.close()
        worker = _Worker(process, here, beat, range(0))
        self._give(worker)
        return worker

    def _give(self, worker: _Worker) -> None:
        worker.numbers, worker.beat.value = self._chunks.popleft(), time.monotonic()
        # A worker that is dead already is found out when its results are awaited.
        with suppress(ConnectionError):
            worker.pipe.send(worker.numbers)

    def _until_next(self) -> float:
        """Return the seconds until the first process has used up its time."""
        return max(0.0, min(worker.beat.value for worker in self._workers) + self._seconds - time.monotonic())

    def _collect(self, worker: _Worker) -> Iterator[tuple[int, Result | Lost]]:
        if worker.pipe.poll():
            try:
                answer = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._lose(worker, "crashed")
                return
            if isinstance(answer, BaseException):
                raise answer
            numbers = worker.numbers
            if self._chunks:
                self._give(worker)
            else:
                self._end(worker)
            yield from zip(numbers, answer, strict=True)
        elif time.monotonic() > worker.beat.value + self._seconds:
            yield from self._lose(worker, "timeout")

    def _lose(self, worker: _Worker, reason: str) -> Iterator[tuple[int, Lost]]:
        self._end(worker)
        if len(worker.numbers) == 1:
            yield worker.numbers[0], Lost(reason)
        else:
            self._chunks.extend(range(number, number + 1) for number in worker.numbers)

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()


def _work(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    pipe: Connection,
    beat: Any,
    inherited: Sequence[Connection],
) -> None:
    """Answer chunks of numbers with results until the parent's end of the pipe is closed."""
    # Ctrl-C reaches the whole group; the parent ends its processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Were a brother to hold the parent's end open, the parent's death would not be noticed.
    for connection in inherited:
        connection.close()
    with suppress(EOFError, ConnectionError):
        while True:
            pipe.send(_results(function, items, pipe.recv(), beat))


def _results(
    function: Callable[[Item], Result], items: Sequence[Item], numbers: range, beat: Any
) -> list[Result] | Exception:
    results = []
    try:
        for number in numbers:
            beat.value = time.monotonic()
            results.append(function(items[number]))
    except Exception as error:
        return _sent(error)
    return results


def _sent(error: Exception) -> Exception:
    """Return an exception that gets through a pipe, and that says where it was raised."""
    where = "".join(traceback.format_exception(error))
    try:
        error.add_note(f"In a process of a pool:\n{where}")
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(where)
    return error
