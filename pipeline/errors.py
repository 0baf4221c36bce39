"""What the user can mend: the one exception that stands for it, and the faults of the disk."""

import errno

# No room, no permission.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


class UserError(Exception):
    """A mistake that the user can mend: one line that says what, where and how to mend it.

    Stages print it without a traceback and end with exit code 1. Any other exception is a
    programming error and keeps its traceback.
    """
