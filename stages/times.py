"""How long each stage took when it last ran here, and DVC between them: `make times`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stages.command import TIMES


@dataclass(frozen=True)
class Ran:
    """A stage's last run.

    Attributes
    ----------
    stage
        Its name.
    group
        The group of its process, which is that of the `dvc repro` that started it.
    began, ended
        Seconds since 1970.
    """

    stage: str
    group: int
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """What it took, its imports included."""
        return self.ended - self.began

    def after(self, other: Ran) -> float | None:
        """Return the seconds between another stage's end and this one's begin; None where runs differ."""
        between = self.began - other.ended
        return between if self.group == other.group and between >= 0 else None


def read_times(folder: Path) -> list[Ran]:
    """Read the last run of each stage, in the order in which they ran."""
    files = sorted(folder.glob("*.json"))
    ran = [Ran(path.stem, **json.loads(path.read_text(encoding="utf-8"))) for path in files]
    return sorted(ran, key=lambda one: one.began)


def table(ran: Sequence[Ran]) -> Iterator[str]:
    """Yield the lines of a table: a stage's seconds, DVC's before it, and both added up."""
    between = [None, *(later.after(earlier) for earlier, later in pairwise(ran))]
    width = max(len("together"), *(len(one.stage) for one in ran))
    yield f"{'stage':{width}}  seconds  DVC before it"
    for one, waited in zip(ran, between, strict=True):
        before = "" if waited is None else f"{waited:13.1f}"
        yield f"{one.stage:{width}}  {one.seconds:7.1f}  {before}".rstrip()
    known = [waited for waited in between if waited is not None]
    yield f"{'together':{width}}  {sum(one.seconds for one in ran):7.1f}  {sum(known):13.1f}"


def main() -> int:
    """Print the times of the project in this folder; return 1 where there are none."""
    ran = read_times(TIMES)
    if not ran:
        print(
            "times: error: no stage has run to its end in this folder; make report runs all", file=sys.stderr
        )
        return 1
    print("\n".join(table(ran)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
