"""What the user can mend: the one exception that stands for it, the faults of the disk, misspelt names."""

import difflib
import errno
from collections.abc import Iterable

# No room, no permission.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


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
