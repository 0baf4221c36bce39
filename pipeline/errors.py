"""The one exception that stands for a mistake of the user."""


class UserError(Exception):
    """A mistake that the user can mend: one line that says what, where and how to mend it.

    Stages print it without a traceback and end with exit code 1. Any other exception is a
    programming error and keeps its traceback.
    """
