"""Progress for people at a terminal, plain lines everywhere else."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


class Bar(Protocol):
    """What a piece of long work reports to."""

    def advance(self, count: int = 1) -> None:
        """Say that `count` further units of the work are done."""


class _TerminalBar:
    def __init__(self, bar: "tqdm[None]") -> None:
        self._bar = bar

    def advance(self, count: int = 1) -> None:
        self._bar.update(count)


class _Lines:
    def __init__(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done = 0
        self._start = self._last = time.monotonic()

    def advance(self, count: int = 1) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            log.info(
                "%s: %d of %d %s%s", self._label, self._done, self._total, self._unit, self._remaining(now)
            )

    def _remaining(self, now: float) -> str:
        seconds = (now - self._start) / max(self._done, 1) * (self._total - self._done)
        return f", about {seconds:.0f} s left"


@contextmanager
def progress(label: str, *, total: int, unit: str) -> Iterator[Bar]:
    """Show how far a piece of work is: a bar on a terminal, a line every ten seconds elsewhere.

    Parameters
    ----------
    label
        What is being done.
    total
        How many units the work has.
    unit
        What is counted, in the plural: "images", "shards".
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=label, unit=f" {unit}", file=sys.stderr) as bar:
            yield _TerminalBar(bar)
    else:
        yield _Lines(label, total, unit)
