"""Jobs of several kinds, gone through beside each other: none waits until all of another kind are done.

    jobs = Jobs()
    evolved, attacked = jobs.add(evolutions), jobs.add(attacks)
    jobs.work(trial=one_batch)

Jobs are calls without arguments; `attacked` now has what came of the attacks, in their order.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pipeline.parallel.forks import map_forked
from pipeline.progress import progress

Result = TypeVar("Result")


class Jobs:
    """Calls that depend on no other's result. Those that take long are best added first."""

    def __init__(self) -> None:
        self._jobs: list[tuple[Callable[[], Any], list[Any]]] = []

    def add(self, jobs: Iterable[Callable[[], Result]]) -> list[Result]:
        """Take jobs in; return the list that their results come into when all are worked on."""
        results: list[Result] = []
        self._jobs += [(job, results) for job in jobs]
        return results

    def work(self, *, trial: Callable[[], object], here: bool = False) -> None:
        """Do all jobs, and show how far it is; parameters and errors are those of `map_forked`."""
        calls = [job for job, _ in self._jobs]
        with progress("working", total=len(calls), unit="jobs") as bar:
            found = map_forked(_call, calls, trial=trial, here=here)
            for (_, results), result in zip(self._jobs, found, strict=True):
                results.append(result)
                bar.advance()


def _call(job: Callable[[], Result]) -> Result:
    return job()
