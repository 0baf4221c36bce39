"""Memory of a process and of its machine: what a step takes at most, and what is free."""

import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MEMINFO = Path("/proc/meminfo")
# A container's limit and use, of the second and of the first version of control groups.
GROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
KIB = 1024


def peak_of(work: Callable[[], object]) -> int:
    """Do some work and return the most bytes that this process had in memory while it did.

    Where the system does not let a process begin anew (Linux does), it is the most that it ever had.
    """
    with suppress(OSError):
        CLEAR.write_text("5")
    work()
    with suppress(OSError, ValueError, IndexError):
        return KIB * int(STATUS.read_text().split("VmHWM:")[1].split()[0])
    return KIB * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def available() -> int | None:
    """Return the bytes that further processes may take: of the machine, or of its container; None if unknown.

    Memory that the system uses for files and gives back counts as available.
    """
    found = [
        free for free in (_of_machine(), *map(_of_group, *zip(*GROUPS, strict=True))) if free is not None
    ]
    return min(found, default=None)


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return KIB * int(MEMINFO.read_text().split("MemAvailable:")[1].split()[0])
    return None


def _of_group(limit: Path, used: Path) -> int | None:
    with suppress(OSError, ValueError):
        # A limit of "max" is none. Files count as used there, though they would be given back.
        return max(0, int(limit.read_text()) - int(used.read_text()) + _files(used.parent / "memory.stat"))
    return None


def _files(statistics: Path) -> int:
    """Return the bytes of files that a group holds in memory and that are not in use."""
    lines = dict(line.split() for line in statistics.read_text().splitlines())
    return int(lines.get("inactive_file", lines.get("total_inactive_file", "0")))
