"""What the user can mend: its one exception, faults of the disk, misspelt names, files in another's place.

`some` writes the names that a message has room for.
"""

import difflib
import errno
from collections.abc import Collection, Iterable
from itertools import islice

# No room, no permission.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
# How a file begins, lower case, that stands in the place of another, and what to do about it.
STAND_INS = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file; fetch it: git lfs pull"),
    (b"/annex/objects/", "a git-annex pointer, not the file; fetch it: git annex get"),
    (b"<!doctype html", "a web page, not the file; download the file itself"),
    (b"<html", "a web page, not the file; download the file itself"),
    (b"<?xml", "an XML document, such as a server's answer; download the file itself"),
)


class UserError(Exception):
    """A mistake that the user can mend: one line that says what, where and how to mend it.

    Stages print it without a traceback and end with exit code 1. Any other exception is a
    programming error and keeps its traceback.
    """


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that a wrong one was probably meant to be, if any; case does not count."""
    folded = {known.casefold(): known for known in valid}
    matches = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    return folded[matches[0]] if matches else None


def some(names: Collection[str], most: int = 8) -> str:
    """Return the first of many names, and how many are left: "a, b and 3 more"."""
    left = len(names) - most
    return ", ".join(islice(names, most)) + (f" and {left} more" if left > 0 else "")


def stand_in(head: bytes) -> str | None:
    """Return what stands in the place of a file and how to get it, by its first bytes; None for all else."""
    begin = head[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for start, what in STAND_INS if begin.startswith(start)), None)
