"""A command run in a process of its own, as users run it: its time, and the memory of it and its descendants.

Memory is PSS, proportional set size, where a page that n processes share counts 1/n for each, so that sums
over processes count every page once. It is read from ``/proc/<pid>/smaps_rollup`` at intervals, so a shorter
peak is missed; beside it stands the kernel's own peak of the resident set, which misses none but counts
shared pages whole. Linux only.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INTERVAL = 0.2  # seconds
KIB_IN_MIB = 1 << 10
TAIL = 2000  # letters of a failed command's output


@dataclass
class Member:
    """A process: its command line, and in MiB the PSS at each look and the largest resident set."""

    command: str
    sizes: list[float] = field(default_factory=list)
    resident: float = 0.0

    @property
    def peak(self) -> float:
        """The largest PSS seen, MiB."""
        return max(self.sizes, default=0.0)

    @property
    def later(self) -> float:
        """The median PSS of the second half of the looks, MiB: a start with a peak of its own is left out."""
        return statistics.median(self.sizes[len(self.sizes) // 2 :] or [0.0])


@dataclass(frozen=True)
class Run:
    """A command that ended.

    Attributes
    ----------
    seconds
        From its start to its end, wall clock.
    cpu_seconds
        Of it and of all descendants that were waited for, user and system.
    peak
        The largest sum of the PSS of all processes at one moment, MiB.
    own
        The command's own process.
    others
        Its descendants, in the order in which they were first seen.
    output
        What was printed.
    """

    seconds: float
    cpu_seconds: float
    peak: float
    own: Member
    others: Sequence[Member]
    output: str


def run(module: str, arguments: Sequence[object], *, folder: Path, **environment: str) -> Run:
    """Run ``python -m <module>`` of this source tree in a folder.

    Parameters
    ----------
    module
        Such as "stages.extract".
    arguments
        Of its command line.
    folder
        Its working folder.
    environment
        Variables beside those of this process.

    Raises
    ------
    RuntimeError
        If it fails; with the end of what it printed.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output)
        with _Sampler(process.pid) as sampler:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{module} ended with {process.returncode}: {said[-TAIL:]}")
    others = [member for pid, member in sampler.members.items() if pid != process.pid]
    own = sampler.members.get(process.pid, Member(module))
    return Run(seconds, usage.ru_utime + usage.ru_stime, sampler.peak, own, others, said)


@dataclass
class _Sampler:
    """A thread that looks at a process and its descendants until the context ends."""

    pid: int
    members: dict[int, Member] = field(default_factory=dict)
    peak: float = 0.0

    def __enter__(self) -> "_Sampler":
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL):
            self.peak = max(self.peak, sum(self._look(pid) for pid in _family(self.pid)))

    def _look(self, pid: int) -> float:
        """Return the PSS of a process, MiB; 0 if it has just ended."""
        # A process that ends while it is read raises one of several errors, or gives an empty text.
        with suppress(OSError, IndexError):
            place = Path("/proc", str(pid))
            size = _kibibytes(place / "smaps_rollup", "Pss:") / KIB_IN_MIB
            member = self.members.setdefault(pid, Member(""))
            # Between fork and exec a process has its parent's command line and resident set: the last count.
            member.command = (place / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
            member.resident = _kibibytes(place / "status", "VmHWM:") / KIB_IN_MIB
            member.sizes.append(size)
            return size
        return 0.0


def _kibibytes(file: Path, name: str) -> int:
    return int(file.read_text().split(f"\n{name}")[1].split()[0])


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                # The name in brackets may hold spaces and brackets itself.
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found
