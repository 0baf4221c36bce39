"""Writing one HDF5 file: atomic, equal bytes for equal inputs, a checksum on every chunk.

Nothing here knows what an artifact means.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.store import chunks
from pipeline.store.replacing import replaced

CHUNK_BYTES = 1 << 18
# A file has its name when it is whole and never changes: there is nothing for HDF5's locks to guard, and a
# network file system may have none.
LOCKS = False


class Writer:
    """A file that is being written; made by `write`."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file

    def put(self, name: str, values: np.ndarray) -> None:
        """Store a whole array under a path such as ``maxima/relu/value``."""
        values = np.asarray(values)
        dataset = self.allocate(name, values.shape, values.dtype)
        if not values.ndim:
            dataset[()] = values
        elif values.size:
            for place, data in chunks.filtered(values, rows=dataset.chunks[0]):
                dataset.id.write_direct_chunk(place, data)
        # Chunks take their place in the file when the dataset is closed; a profiler that holds this frame, as
        # Dask's does, would put that off and change the file's bytes.
        dataset.flush()

    def link(self, name: str, stored: str) -> None:
        """Give an array that is already stored a second name."""
        self._file[name] = self._file[stored]

    def put_strings(self, name: str, values: Sequence[str]) -> None:
        """Store strings, (N,) utf-8 of one fixed width, so that they are compressed and checksummed too."""
        self.put(name, _fixed_width(values))

    def allocate(self, name: str, shape: Sequence[int], dtype: Any) -> h5py.Dataset:
        """Make a dataset to be filled by ``dataset[a:b] = …``, rows ascending; flush it when it is full.

        Chunks lie as written, and the last of them where the file ends when the dataset is flushed or closed:
        a file's bytes may not depend on how long somebody holds the dataset.
        """
        if not shape or 0 in shape:
            return self._file.create_dataset(name, shape=tuple(shape), dtype=dtype, track_times=False)
        row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape[1:], dtype=np.int64))
        rows = min(shape[0], max(1, CHUNK_BYTES // max(1, row_bytes)))
        return self._file.create_dataset(
            name, shape=tuple(shape), dtype=dtype, chunks=(rows, *shape[1:]), compression="gzip",
            compression_opts=chunks.LEVEL, shuffle=True, fletcher32=True, track_times=False,
        )  # fmt: skip

    def set_attributes(self, name: str, values: Mapping[str, Any]) -> None:
        """Set attributes of a group or dataset ("" is the file); a missing group is made."""
        node = self._file if not name else self._file.get(name)
        if node is None:
            node = self._file.create_group(name)
        for key in sorted(values):
            node.attrs[key] = _attribute(values[key])


@contextmanager
def write(
    path: Path,
    *,
    stage: str,
    version: int,
    made_from: Mapping[str, str] | None = None,
    versions: Sequence[str] = (),
) -> Iterator[Writer]:
    """Write an HDF5 file under a temporary name and put it in place when it is whole.

    Parameters
    ----------
    path
        Where the file goes; its folder is made.
    stage
        The stage that makes it, kept as an attribute.
    version
        The version of its format, kept as ``schema_version``.
    made_from
        Name to sha256 of what it is made from, kept as ``digest_<name>``.
    versions
        Distributions whose installed version is kept as ``version_<name>``, beside those that write.

    Raises
    ------
    UserError
        If the disk is full or the folder cannot be written; nothing is published then.
    """
    with replaced(path) as temporary, h5py.File(temporary, "w", track_order=False, locking=LOCKS) as file:
        writer = Writer(file)
        writer.set_attributes("", {"schema_version": version, "stage": stage})
        writer.set_attributes("", {f"digest_{name}": value for name, value in (made_from or {}).items()})
        made_with = {*versions, "h5py", "deflate"}
        writer.set_attributes("", {f"version_{name}": metadata.version(name) for name in made_with})
        yield writer
        # A file whose writer was killed after a flush opens without an error; this mark tells them apart.
        file.attrs["complete"] = np.uint8(1)
        file.flush()


def _attribute(value: Any) -> Any:
    """Return a value as HDF5 keeps it; a list of strings becomes fixed-width utf-8."""
    if isinstance(value, (list, tuple)) and (not value or isinstance(value[0], str)):
        return _fixed_width(value)
    return value


def _fixed_width(values: Sequence[str]) -> np.ndarray:
    """Return strings as (N,) utf-8 of one fixed width, that of the longest."""
    encoded = [value.encode("utf-8") for value in values]
    width = max((len(value) for value in encoded), default=0) or 1
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", width))
