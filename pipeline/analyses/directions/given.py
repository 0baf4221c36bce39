"""Directions from the user's files: ``<folder>/<layer>/<file>.npy`` or ``.npz``, and a ``concepts.h5``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.directions.making import Directions, normalised
from pipeline.errors import UserError
from pipeline.formats.concepts import open_concepts
from pipeline.formats.status import Status
from pipeline.layers.choosing import unknown_layer

SUFFIXES = (".npy", ".npz")
NAMES = "names"
CONCEPTS = "concepts.h5"


@dataclass(frozen=True)
class Given:
    """Directions of a layer.

    Attributes
    ----------
    names : tuple of str
        What each is called.
    direction : (R, U) float32
        Of length 1.
    """

    names: tuple[str, ...]
    direction: Directions


def read_given(folder: Path, units: Mapping[str, int]) -> dict[str, Given]:
    """Read the directions that a folder holds.

    Parameters
    ----------
    folder
        Has a folder for each layer, called as the layer is. A ``.npy`` in it is a vector (U,), or a matrix
        (R, U) with a direction a row; a ``.npz`` is several of these, each called by its key, or one matrix
        beside an array `names` of R strings. Beside the folders may lie a copy of ``concepts.h5``, whose
        directions are those of its layers.
    units
        Layer to its number of units.

    Returns
    -------
    dict of str to Given
        Layer to its directions, in the order of `units`; files and keys in the order of their names.

    Raises
    ------
    UserError
        Naming the file: it cannot be read, lies in no layer's folder, or holds something else.
    """
    found: dict[str, list[tuple[str, NDArray[Any]]]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.startswith((".", "README")):
            continue
        if path == folder / CONCEPTS:
            _add_concepts(found, path, units)
            continue
        layer = path.relative_to(folder).parent.as_posix()
        if path.suffix not in SUFFIXES:
            raise UserError(f"{path}: no file of directions; give a .npy or .npz, or take it out")
        if layer not in units:
            raise unknown_layer(layer, list(units), f"{path}: the folder must be called as a layer is; ")
        found.setdefault(layer, []).extend(_named(path, units[layer]))
    return {
        layer: Given(
            tuple(name for name, _ in found[layer]), normalised(np.stack([row for _, row in found[layer]]))
        )
        for layer in units
        if layer in found
    }


def _add_concepts(
    found: dict[str, list[tuple[str, NDArray[Any]]]], path: Path, units: Mapping[str, int]
) -> None:
    """Add the directions of all concepts that were learnt."""
    with open_concepts(path) as concepts:
        if isinstance(concepts, Status):
            raise UserError(f"{path}: holds no concepts ({concepts.reason}); take it out")
        for layer in concepts.about.layers:
            direction = concepts.layer(layer).direction
            if layer not in units or direction.shape[1] != units[layer]:
                raise UserError(f"{path}: is of another network or other extract.layers; take it out")
            found.setdefault(layer, []).extend(zip(concepts.about.concept, direction, strict=True))


def _named(path: Path, units: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the directions of a file, each with its name."""
    for name, (array, names) in _arrays(path).items():
        _check(path, name, array, units)
        rows = np.atleast_2d(array)
        if names is not None and len(names) != len(rows):
            raise UserError(f"{path}: {len(names)} names for {len(rows)} directions; give one for each")
        if names is None:
            names = [name] if len(rows) == 1 else [f"{name} {number}" for number in range(1, len(rows) + 1)]
        yield from zip(names, rows, strict=True)


def _arrays(path: Path) -> dict[str, tuple[NDArray[Any], list[str] | None]]:
    """Read a file's arrays, with the names of their rows where it has some."""
    try:
        # What is pickled could run anything.
        loaded = np.load(path, allow_pickle=False)
        if path.suffix == ".npy":
            return {path.stem: (np.asarray(loaded), None)}
        with loaded:
            arrays = {name: loaded[name] for name in sorted(loaded.files)}
    except (OSError, ValueError, EOFError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: cannot be read ({reason}); write it with numpy.save or savez") from None
    names = arrays.pop(NAMES, None)
    if names is None:
        return {name: (array, None) for name, array in arrays.items()}
    if len(arrays) != 1:
        raise UserError(f"{path}: '{NAMES}' goes with one matrix, found {len(arrays)}; use keys as names")
    return {name: (array, [str(one) for one in names.tolist()]) for name, array in arrays.items()}


def _check(path: Path, name: str, array: NDArray[Any], units: int) -> None:
    """Refuse what is no direction of a space of so many units."""
    if array.ndim not in (1, 2) or array.shape[-1] != units or not array.size:
        raise UserError(
            f"{path}: '{name}' has shape {array.shape}, but the layer has {units} units; "
            f"give ({units},), or (directions, {units})"
        )
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise UserError(f"{path}: '{name}' holds something else than finite numbers; take it out")
    if not np.atleast_2d(array).any(axis=1).all():
        raise UserError(f"{path}: '{name}' holds a vector of zeros, which is no direction; take it out")
