"""Work on many images in threads, results in order and few of them in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from pipeline.errors import UserError

WORKERS_VARIABLE = "CONVATLAS_WORKERS"
# Results that may wait for a slow one before them, for each thread.
_AHEAD = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_count() -> int:
    """Return how many threads to use: `CONVATLAS_WORKERS`, else one for each core that this process may use.

    Returns
    -------
    int
        At least 1. It changes no result, only how soon it comes.

    Raises
    ------
    UserError
        If the variable is not a positive whole number.
    """
    given = os.environ.get(WORKERS_VARIABLE)
    if not given:
        return len(os.sched_getaffinity(0))
    if not given.isdigit() or int(given) < 1:
        raise UserError(f"environment: {WORKERS_VARIABLE} must be a positive whole number, got '{given}'")
    return int(given)


def ordered(function: Callable[[Item], Result], items: Iterable[Item], *, threads: int) -> Iterator[Result]:
    """Apply a function in threads and yield its results in the order of the items.

    Decoders and numpy let other threads run meanwhile. However slowly the results are taken, only a few of
    them a thread exist at once.

    Parameters
    ----------
    function : callable
        Raises what it likes: the exception comes out at its item's turn, and nothing further is started.
    items : iterable
        Taken one by one as room comes free.
    threads : int
        At least 1.

    Yields
    ------
    object
        The function's results.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque(
            pool.submit(function, item) for item in islice(source, _AHEAD * threads)
        )
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(source, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
