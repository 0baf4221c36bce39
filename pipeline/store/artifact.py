"""One HDF5 file on disk.

Writing is atomic and gives equal bytes for equal inputs; every chunk carries a checksum; reading
refuses what is incomplete, damaged, or points outside its own file. Nothing here knows what an
artifact means.

- `write`, `Writer`: make a file under a temporary name and put it in place when it is whole
- `read`, `Reader`: arrays, strings and attributes of a file
- `digest`: the sha256 of a file
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.errors import UserError
from pipeline.store import chunks
from pipeline.store.replacing import replaced

CHUNK_BYTES = 1 << 18
# A file has its name when it is whole and never changes: there is nothing for HDF5's locks to guard, and a
# network file system may have none.
LOCKS = False
ROWS_AT_ONCE = 1 << 16  # when only some are wanted
_WITHOUT_FOREIGN: set[tuple[Any, ...]] = set()


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
        """Make a dataset to be filled by ``dataset[a:b] = …``, rows ascending: chunks lie as written."""
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
    version: int = 1,
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
        made_with = {*versions, "h5py", "isal"}
        writer.set_attributes("", {f"version_{name}": metadata.version(name) for name in made_with})
        yield writer
        # A file whose writer was killed after a flush opens without an error; this mark tells them apart.
        file.attrs["complete"] = np.uint8(1)
        file.flush()


@dataclass(frozen=True)
class Origin:
    """What every artifact says of itself.

    Attributes
    ----------
    stage
        The stage that made it.
    version
        That of its format.
    made_from
        Name to sha256 of what it is made from.
    versions
        Distribution to its version when it was made.
    """

    stage: str
    version: int
    made_from: Mapping[str, str]
    versions: Mapping[str, str]


class Reader:
    """A finished file that is open for reading; made by `read`."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file, self.path = file, path

    def __contains__(self, name: str) -> bool:
        return name in self._file

    def children(self, name: str = "") -> list[str]:
        """Return the sorted names below a group ("" is the file); none if it is not there."""
        node = self._node(name)
        return sorted(node) if isinstance(node, h5py.Group) else []

    def nodes(self) -> dict[str, bool]:
        """Return the path of every group and dataset, and whether it is a dataset."""
        found: dict[str, bool] = {}
        with _whole(self.path, ""):
            self._file.visititems(lambda name, node: found.update({name: isinstance(node, h5py.Dataset)}))
        return found

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a dataset's shape."""
        return tuple(self._dataset(name).shape)

    def get(self, name: str, rows: slice | None = None) -> np.ndarray:
        """Read an array, whole or a slice of its rows; a damaged chunk is an error.

        Raises
        ------
        UserError
            Naming the file and the dataset, if it is missing or its checksum is wrong.
        """
        dataset = self._dataset(name)
        with _whole(self.path, name):
            return np.asarray(dataset[()] if rows is None else dataset[rows])

    def take(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Read some rows of a long array without holding it whole.

        Parameters
        ----------
        name
            A dataset (N, …).
        rows
            (m,) whole numbers, in any order, repeats allowed.

        Returns
        -------
        (m, …) array
            The rows in the order asked for.
        """
        wanted, back = np.unique(rows, return_inverse=True)
        parts = [self.get(name, slice(0, 0))]
        for start in range(0, self.shape(name)[0], ROWS_AT_ONCE):
            here = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, start + ROWS_AT_ONCE)]
            if here.size:
                first, last = int(here[0]), int(here[-1]) + 1
                parts.append(self.get(name, slice(first, last))[here - first])
        return np.concatenate(parts)[back]

    def strings(self, name: str, rows: slice | None = None) -> list[str]:
        """Read strings, whole or a slice of the rows."""
        return [value.decode("utf-8") for value in self.get(name, rows).tolist()]

    def attributes(self, name: str = "") -> dict[str, Any]:
        """Return a node's attributes as strings, numbers, lists, arrays; `UserError` if it is not there."""
        if (node := self._node(name)) is None:
            raise UserError(f"{self.path}: no '{name}' in it")
        with _whole(self.path, name):
            return {key: _plain(value) for key, value in sorted(node.attrs.items())}

    def origin(self) -> Origin:
        """Return what made the file, and from what."""
        attributes = self.attributes()
        made_from, versions = (_beginning(attributes, prefix) for prefix in ("digest_", "version_"))
        return Origin(str(attributes["stage"]), int(attributes["schema_version"]), made_from, versions)

    def _dataset(self, name: str) -> h5py.Dataset:
        node = self._node(name)
        if not isinstance(node, h5py.Dataset):
            raise UserError(f"{self.path}: no dataset '{name}' in it; delete it and run its stage again")
        return node

    def _node(self, name: str) -> Any:
        with _whole(self.path, name):
            return self._file.get(name) if name else self._file


@contextmanager
def read(path: Path, *, version: int | None = 1) -> Iterator[Reader]:
    """Open a finished file.

    Parameters
    ----------
    path
        The file.
    version
        The version of its format that the caller reads; None: any, for what every artifact says of itself.

    Raises
    ------
    UserError
        If it is missing, not HDF5, damaged, not finished, of another version, or has links or storage
        outside itself.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage that makes it")
    try:
        file = h5py.File(path, "r", locking=LOCKS)
    except OSError as error:
        raise UserError(f"{path}: cannot be opened as HDF5 ({error})") from error
    with file:
        with _whole(path, ""):
            _check(file, path, version)
        yield Reader(file, path)


def digest(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _whole(path: Path, name: str) -> Iterator[None]:
    """Say that a file is damaged, whatever h5py raises over a structure that makes no sense."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path}: '{name or '/'}' is damaged ({error}); delete it and run again") from error


def _check(file: h5py.File, path: Path, version: int | None) -> None:
    if "complete" not in file.attrs:
        raise UserError(f"{path}: was not written to its end; delete it and run its stage again")
    found = file.attrs.get("schema_version")
    if found is None or version not in (None, found):
        raise UserError(f"{path}: format version {found}, not {version}; run its stage again")
    # Once for each file that a process reads: it takes longer than reading an array.
    identity = (path, (status := path.stat()).st_ino, status.st_mtime_ns, status.st_size)
    if identity not in _WITHOUT_FOREIGN:
        _refuse_foreign(file, path)
        _WITHOUT_FOREIGN.add(identity)


def _refuse_foreign(group: h5py.Group, path: Path) -> None:
    """Refuse links and storage outside the file: a crafted one could read any file of the user's."""
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UserError(f"{path}: '{group.name}/{name}' is a link; links are not followed")
        node = group[name]
        if isinstance(node, h5py.Group):
            _refuse_foreign(node, path)
        elif node.external or node.is_virtual:
            raise UserError(f"{path}: '{node.name}' has its data in another file; that is not read")


def _beginning(attributes: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {key[len(prefix) :]: str(value) for key, value in attributes.items() if key.startswith(prefix)}


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


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray) and value.dtype.kind == "S":
        return [item.decode("utf-8") for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value
