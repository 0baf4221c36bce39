"""Arrays too large for memory, on disk while they are filled."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError


@contextmanager
def on_disk(folder: Path, shape: Sequence[int], dtype: Any, *, remedy: str) -> Iterator[np.ndarray]:
    """Hold an array in a file without a name, which is gone when this ends, however it ends.

    Parameters
    ----------
    folder
        Where the file lies; is there.
    shape, dtype
        Of the array, all zero at first.
    remedy
        What makes it smaller, for the message.

    Raises
    ------
    UserError
        The disk has no room for it; a full disk would end the process later.
    """
    length = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not length:
        yield np.zeros(shape, dtype)
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, length)
        except OSError as error:
            raise UserError(
                f"{folder}: no room for {length / 1e6:.0f} MB on the disk ({error.strerror}); "
                f"free some, or {remedy}"
            ) from error
        yield np.memmap(file, dtype, "r+", shape=tuple(shape))
