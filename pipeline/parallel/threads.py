"""Work on many images in threads, results in order and few of them in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

# Results that may wait for a slow one before them, for each thread.
_AHEAD = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


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
