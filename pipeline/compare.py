"""Two runs compared, dataset by dataset.

    python -m pipeline.compare A B    print what differs; exit 1 if anything does

A and B are projects, of which artifacts/, metrics/ and plots/ are compared, or any two folders or files. HDF5
is compared by datasets and attributes, JSON by keys, CSV by columns, safetensors by tensors, all else by its
bytes. Shards are paired by their place in the index, since their names are content keys. What differs with
the software, versions and the digests of params, is counted and not held against a run; --ignore-digests adds
the digests of files that themselves hold a version.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.activations import FILE, shard_files

OF_A_RUN = ("artifacts", "metrics", "plots")
NOT_HELD = ("*@version_*", "*@schema_version", "*@digest_params")
# Beside digests proper, the names of shards, which are content keys.
DIGESTS = ("*@digest_*", "shard/file", "digest")


@dataclass(frozen=True)
class Difference:
    """One thing that differs: the file, what in it ("" is the whole), and how."""

    file: str
    name: str
    how: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.name, self.how) if part)

    def is_like(self, patterns: Sequence[str]) -> bool:
        """Tell whether a glob matches the name of what differs."""
        return any(fnmatch(self.name, pattern) for pattern in patterns)


def compare(first: Path, second: Path, *, leave_out: Sequence[str] = ()) -> list[Difference]:
    """Compare two runs, folders or files.

    Parameters
    ----------
    first, second
        A project's folder, any folder, or a file.
    leave_out
        Globs of files that are not compared, such as ``artifacts/figures/*``.

    Returns
    -------
    list of Difference
        In the order of the files' names; versions and digests among them.

    Raises
    ------
    UserError
        One of the two is not there, or a file is not what its suffix says.
    """
    for path in (first, second):
        if not path.exists():
            raise UserError(
                f"{path}: no such file or folder; a revision of git is compared by 'make compare REV={path}'"
            )
    if first.is_file():
        return list(_in_file(first.name, first, second))
    ours, theirs = _files(first), _files(second)
    found: list[Difference] = []
    for name in sorted(ours.keys() | theirs.keys()):
        if any(fnmatch(name, pattern) for pattern in leave_out):
            continue
        if name not in ours or name not in theirs:
            found.append(Difference(name, "", f"only in {first if name in ours else second}"))
        else:
            found += _in_file(name, ours[name], theirs[name])
    return found


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of a run by name; a shard's is its place in the index."""
    tops = [folder / name for name in OF_A_RUN if (folder / name).is_dir()] or [folder]
    files = [path for top in tops for path in top.rglob("*") if path.is_file() and path.name != ".gitignore"]
    place: dict[Path, str] = {}
    for index in (path for path in files if path.name == FILE):
        for number, shard in enumerate(shard_files(index.parent)):
            place[shard] = f"shard {number}.h5"
    return {(path.parent / place.get(path, path.name)).relative_to(folder).as_posix(): path for path in files}


def _in_file(name: str, first: Path, second: Path) -> Iterator[Difference]:
    if first.read_bytes() == second.read_bytes():
        return
    if first.suffix not in {".h5", ".json", ".csv", ".safetensors"}:
        yield Difference(name, "", "other bytes")
        return
    with _opened(first) as ours, _opened(second) as theirs:
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in ours or key not in theirs:
                yield Difference(name, key, f"only in {first if key in ours else second}")
            elif (how := _how(_array(ours[key]), _array(theirs[key]))) is not None:
                yield Difference(name, key, how)


@contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, Any]]:
    """Open a file as a mapping of names to values, arrays or datasets."""
    try:
        if path.suffix == ".h5":
            with store.read(path, version=None) as file:
                yield _nodes(file)
        elif path.suffix == ".safetensors":
            yield load_file(path)
        elif path.suffix == ".csv":
            yield _columns(path)
        else:
            yield dict(_leaves(json.loads(path.read_text(encoding="utf-8")), ""))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as {path.suffix[1:]}: {error}") from None


def _nodes(file: store.Reader) -> dict[str, Any]:
    """Return the datasets of an HDF5 file by path, as what reads them, and attributes as ``path@name``."""
    found: dict[str, Any] = {}
    for name, is_dataset in {"": False, **file.nodes()}.items():
        found.update({f"{name}@{key}": value for key, value in file.attributes(name).items()})
        if name:
            found[name] = partial(file.get, name) if is_dataset else "group"
    return found


def _columns(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a table, as numbers where all their cells are numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    found: dict[str, np.ndarray] = {}
    for place, name in enumerate(rows[0] if rows else []):
        cells = np.array([row[place] for row in rows[1:]], np.str_)
        try:
            found[name] = cells.astype(np.float64)
        except ValueError:
            found[name] = cells
    return found


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    if name and not inner:
        yield name, value
    for key, item in inner:
        yield from _leaves(item, f"{name}.{key}" if name else str(key))


def _array(value: Any) -> np.ndarray:
    """Return a value as an array: numbers, or text without the width that it is stored in."""
    found = np.asarray(value() if callable(value) else value)
    if found.dtype.kind in "biuf":
        return found
    return np.char.decode(found, "utf-8") if found.dtype.kind == "S" else found.astype(np.str_)


def _how(ours: np.ndarray, theirs: np.ndarray) -> str | None:
    """Say how two arrays differ; None where they do not."""
    if ours.shape != theirs.shape:
        return f"shape {ours.shape} against {theirs.shape}"
    numbers = ours.dtype.kind in "biuf"
    if ours.dtype != theirs.dtype and (numbers or theirs.dtype.kind in "biuf"):
        return f"{ours.dtype} against {theirs.dtype}"
    unequal = ours != theirs
    if ours.dtype.kind == "f":
        unequal &= ~(np.isnan(ours) & np.isnan(theirs))
    if not unequal.any():
        return None
    count = f"{np.count_nonzero(unequal)} of {ours.size}"
    if not numbers:
        first = np.flatnonzero(unequal)[0]
        return f"{count} differ, the first '{ours.flat[first]}' against '{theirs.flat[first]}'"
    apart = np.abs(ours[unequal].astype(np.float64) - theirs[unequal].astype(np.float64))
    return f"{count} differ, at most by {apart.max():.6g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.compare", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("first", type=Path, metavar="A", help="a run")
    parser.add_argument("second", type=Path, metavar="B", help="another")
    parser.add_argument("--ignore-digests", action="store_true", help="do not hold digests against a run")
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="GLOB", help="files not to be compared")
    options = parser.parse_args(arguments)
    try:
        found = compare(options.first, options.second, leave_out=options.leave_out)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    patterns = (*NOT_HELD, *(DIGESTS if options.ignore_digests else ()))
    held = [difference for difference in found if not difference.is_like(patterns)]
    print("\n".join(map(str, held)) or "nothing differs")
    if len(held) < len(found):
        print(f"not held against it: {len(found) - len(held)} versions and digests", file=sys.stderr)
    return 1 if held else 0


if __name__ == "__main__":
    raise SystemExit(main())
