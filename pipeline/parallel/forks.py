"""Going through the few, long jobs of a stage in as many processes as cores and memory allow.

    for found in map_forked(attribute, probes, trial=one_batch):  # in the order of probes

Processes are forked: what the function holds, a network say, is there without being loaded or sent. How many
there are changes no bit of a result.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pipeline.errors import UserError
from pipeline.parallel.memory import available, peak_of
from pipeline.parallel.processes import WORKERS_VARIABLE, Lost, count_workers, map_guarded

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds: a job takes as long as it takes.
WEEK = 7 * 86400.0


def map_forked(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    trial: Callable[[], object] | None = None,
    here: bool = False,
) -> Iterator[Result]:
    """Apply a function to each item, and yield its results in the order of the items.

    What the function does to anything but its result is lost with its process.

    Parameters
    ----------
    function
        Called in the processes; need not be picklable, but its results are. It may send signals back through
        a network if the caller has not yet: of autograd's threads forks know nothing.
    items
        What it is called with.
    trial
        Takes as much memory as the function does, and little time. It is done first, in a process of its
        own: no more processes follow than there is memory for. None where the function takes hardly any.
    here
        Whether to do it all in this process, as on a GPU, which forks cannot go on using.

    Raises
    ------
    UserError
        A process was ended from outside.
    """
    workers = min(count_workers(), len(items))
    if here or workers < 2:
        yield from map(function, items)
    else:
        fitting = _fitting(workers, trial) if trial else workers
        yield from _in_order(function, items, fitting)


def _fitting(workers: int, trial: Callable[[], object]) -> int:
    """Return how many processes, at most so many, there is memory for; at least one."""

    def taken(work: Callable[[], object]) -> int:
        before = peak_of(lambda: None)
        return peak_of(work) - before

    (needed,), room = _in_order(taken, [trial], 1), available()
    return workers if room is None else max(1, min(workers, room // max(1, needed)))


def _in_order(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    waiting: dict[int, Result] = {}
    following = 0
    for number, result in map_guarded(function, items, workers=workers, seconds=WEEK, chunk=1):
        if isinstance(result, Lost):
            raise UserError(
                "a process was ended from outside, as happens where memory is short; set "
                f"{WORKERS_VARIABLE}=1, or a smaller batch_size where the stage has one"
            )
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1
