"""Reading one HDF5 file: what is incomplete, damaged, or points outside its own file is refused.

- `read`, `Reader`: arrays, strings and attributes of a file
- `Origin`: what every artifact says of itself
- `digest`: the sha256 of a file
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.errors import UserError
from pipeline.store.writing import LOCKS

ROWS_AT_ONCE = 1 << 16  # when only some are wanted
_WITHOUT_FOREIGN: set[tuple[Any, ...]] = set()


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
def read(path: Path, *, version: int | None) -> Iterator[Reader]:
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


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray) and value.dtype.kind == "S":
        return [item.decode("utf-8") for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value
