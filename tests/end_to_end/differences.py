"""What differs between the files of two runs, in words: a failure elsewhere leaves only its message."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np


def differences(root: Path, other: Path, names: list[str]) -> Iterator[str]:
    """Yield a line for each file that differs, and for an HDF5 file one for each dataset of it."""
    for name in names:
        first, second = root / name, other / name
        if not (first.exists() and second.exists()):
            yield f"{name}: only in {(first if first.exists() else second).parent}"
        elif first.suffix == ".h5":
            yield from (f"{name}: {line}" for line in _differences_of_hdf5(first, second))
        else:
            yield f"{name}: {first.stat().st_size} and {second.stat().st_size} bytes"


def _differences_of_hdf5(path: Path, other: Path) -> Iterator[str]:
    with h5py.File(path) as first, h5py.File(other) as second:
        if set(_objects(first)) != set(_objects(second)):
            yield f"other objects: {sorted(set(_objects(first)) ^ set(_objects(second)))}"
            return
        lines = []
        for name, item in _objects(first).items():
            if dict(item.attrs).keys() != dict(second[name].attrs).keys() or any(
                not np.array_equal(value, second[name].attrs[key]) for key, value in item.attrs.items()
            ):
                lines.append(f"attributes of {name}")
            if isinstance(item, h5py.Dataset):
                lines += _differences_of_dataset(item, second[name])
        yield from lines or ["the same values in other bytes, outside all datasets"]


def _differences_of_dataset(first: h5py.Dataset, second: h5py.Dataset) -> list[str]:
    values, others = np.asarray(first[()]), np.asarray(second[()])
    if values.tobytes() != others.tobytes():
        different = values != others
        count = int(np.count_nonzero(different)) if values.shape == others.shape else "all"
        return [f"{first.name}: {count} of {values.size} values ({values.dtype})"]
    if first.chunks and any(
        first.id.read_direct_chunk(place)[1] != second.id.read_direct_chunk(place)[1]
        for place in (
            first.id.get_chunk_info(number).chunk_offset for number in range(first.id.get_num_chunks())
        )
    ):
        return [f"{first.name}: the same values in other bytes"]
    return []


def _objects(file: h5py.File) -> dict[str, h5py.Group | h5py.Dataset]:
    found: dict[str, h5py.Group | h5py.Dataset] = {"/": file}
    file.visititems(lambda name, item: found.__setitem__(f"/{name}", item))
    return found
