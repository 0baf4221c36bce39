"""Arrays too large for memory, on disk while they are filled."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

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
    with _file(folder, length, remedy) as file:
        yield np.memmap(file, dtype, "r+", shape=tuple(shape))


class Columns:
    """A matrix that is written by rows and then read by columns, some at a time; made by `columns_on_disk`.

    The file is read and written and not mapped: pages of a mapped one count as memory of the process.
    """

    def __init__(self, file: BinaryIO, rows: int, columns: int, at_once: int) -> None:
        width = max(1, at_once // (4 * max(rows, 1)))
        self._groups = [slice(start, min(start + width, columns)) for start in range(0, columns, width)]
        self._file, self._rows, self._filled = file, rows, 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Write the next rows, (n, columns)."""
        for group in self._groups:
            self._file.seek(4 * (self._rows * group.start + self._filled * (group.stop - group.start)))
            self._file.write(np.ascontiguousarray(values[:, group], np.float32).data)
        self._filled += len(values)

    def groups(self) -> Iterator[NDArray[np.float32]]:
        """Read all rows of some columns, (rows, w), then of the next ones; every row was written."""
        assert self._filled == self._rows, f"{self._filled} of {self._rows} rows were written"
        for group in self._groups:
            values = np.empty((self._rows, group.stop - group.start), np.float32)
            self._file.seek(4 * self._rows * group.start)
            self._file.readinto(values)  # type: ignore[attr-defined]
            yield values


@contextmanager
def columns_on_disk(
    folder: Path, rows: int, columns: int, *, remedy: str, at_once: int = 1 << 26
) -> Iterator[Columns]:
    """Hold a float32 matrix in a file without a name, as `on_disk` does.

    Parameters
    ----------
    folder, remedy
        As of `on_disk`.
    rows, columns
        Its shape.
    at_once
        Bytes of the columns that are read at once; at least one column is.

    Raises
    ------
    UserError
        The disk has no room for it.
    """
    with _file(folder, 4 * rows * columns, remedy) as file:
        yield Columns(file, rows, columns, at_once)


@contextmanager
def _file(folder: Path, length: int, remedy: str) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, length)
        except OSError as error:
            raise UserError(
                f"{folder}: no room for {length / 1e6:.0f} MB on the disk ({error.strerror}); "
                f"free some, or {remedy}"
            ) from error
        yield file
