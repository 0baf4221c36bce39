"""The points of an interactive map as scripts: a page opened from disk may load scripts and no other data.

``points.js`` sets ``window.CONVATLAS_MAP`` to what the first view needs, its arrays as base64 of
little-endian numbers. Paths, and what the points can be coloured by besides classes, are scripts of their own
that call ``convatlas.put(name, value)``, loaded when they are asked for; few paths are loaded at once. Which
images are nearest to which lies beside each script of paths in one more.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from pipeline.errors import UserError

SCRIPT = "points.js"
_BEGIN = "window.CONVATLAS_MAP = "
PATHS_BYTES = 200_000  # of a script of paths, about
STEPS = 254  # of a number between its low and its high
SIDE = 65_535  # the map's side, in steps of its coordinates


class Level(BaseModel):
    """Atlases of thumbnails in rows, each `tile` pixels wide and high; the last may end early."""

    files: list[str]
    columns: int
    rows: int
    tile: int


@dataclass(frozen=True)
class Attribute:
    """Something that points can be coloured by.

    Attributes
    ----------
    name
        Of a person's choice.
    value : (n,) int or float
        Places in `words`, -1 where there is none; or, without words, numbers, NaN where there is none.
    words
        The values; None for numbers.
    """

    name: str
    value: NDArray[Any]
    words: tuple[str, ...] | None = None


@dataclass(frozen=True)
class MapPoints:
    """The n points of a map; point i has tile i of the atlases.

    Attributes
    ----------
    x, y : (n,) float64
        0 to 1, y downwards.
    cell : (n, 2) int
        Column and row in the grid.
    grid
        Its columns and rows.
    label, predicted : (n,) int
        Places in `classes`, -1 where there is none.
    classes, colours
        Names, and a colour for each as #rrggbb.
    path
        In the dataset.
    image_id : (n,) int
        Rows of the manifest.
    levels
        Atlases, those of the smallest tiles first.
    attributes
        What else points can be coloured by; not read back.
    sequence, scale
        Colours of an attribute's words, again from the first where they are more; of numbers, low to high.
    without_output
        Places in `classes` that no output of the network is known to stand for.
    near : (n, k) int or None
        Of each point the places of the images nearest to its own, nearest first, -1 where there is none;
        None where that is not known.
    runs
        Name and first point of each script of paths; known once they are written, and read back.
    near_runs
        Name of the script of `near` beside each of these, likewise.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    cell: NDArray[np.integer]
    grid: tuple[int, int]
    label: NDArray[np.integer]
    predicted: NDArray[np.integer]
    classes: Sequence[str]
    colours: Sequence[str]
    path: Sequence[str]
    image_id: NDArray[np.integer]
    levels: Sequence[Level]
    attributes: Sequence[Attribute] = ()
    sequence: Sequence[str] = ()
    scale: Sequence[str] = ()
    without_output: Sequence[int] = ()
    near: NDArray[np.integer] | None = None
    runs: Sequence[tuple[str, int]] = ()
    near_runs: Sequence[str] = ()


class _Source(BaseModel):
    """What `points.js` holds; fields are called as in `MapPoints`.

    Of each script of paths, `first` is its first point, and `near` the script beside it, where there is one.
    """

    n: int
    x: str
    y: str
    gx: str
    gy: str
    grid: tuple[int, int]
    label: str
    predicted: str
    classes: list[str]
    colours: list[str]
    levels: list[Level] = Field(min_length=1)
    paths: list[str] = Field(min_length=1)
    first: list[int]
    near: list[str]
    attributes: list[dict[str, Any]]
    sequence: list[str]
    scale: list[str]
    without_output: list[int]


def write_map_points(folder: Path, points: MapPoints) -> tuple[list[str], list[str]]:
    """Write the scripts of a map.

    Parameters
    ----------
    folder
        Of the section.
    points
        The map.

    Returns
    -------
    scripts, data
        Names of the scripts that the page loads, and of those that are loaded when they are asked for.
    """
    first = _runs(points)
    paths, near = _write_runs(folder, points, first)
    attributes = [_write_attribute(folder, number, one) for number, one in enumerate(points.attributes)]
    places = (np.clip(np.rint(values * SIDE), 0, SIDE) for values in (points.x, points.y))
    x, y, gx, gy = (_packed(values, 16) for values in (*places, *points.cell.T))
    bits = _bits(len(points.classes))
    source = _Source(
        n=len(points.x), x=x, y=y, gx=gx, gy=gy, grid=points.grid, label=_packed(points.label, bits),
        predicted=_packed(points.predicted, bits), classes=list(points.classes), colours=list(points.colours),
        levels=list(points.levels), paths=paths, first=first, near=near, attributes=attributes,
        sequence=list(points.sequence), scale=list(points.scale), without_output=list(points.without_output),
    )  # fmt: skip
    text = json.dumps(source.model_dump(), separators=(",", ":"), sort_keys=True)
    (folder / SCRIPT).write_text(f"{_BEGIN}{text};\n", encoding="ascii")
    data = [f"{name}.js" for name in (*paths, *near, *(one["script"] for one in attributes))]
    return ([SCRIPT, data[0]], data[1:]) if len(paths) == 1 else ([SCRIPT], data)


def read_map_points(folder: Path) -> MapPoints:
    """Read a map back, without its attributes.

    Raises
    ------
    UserError
        Naming the script, if it holds no points.
    """
    script = folder / SCRIPT
    try:
        source = _Source.model_validate(json.loads(_value(script, _BEGIN)))
        runs: list[dict[str, Any]] = []
        for name in (*source.paths, *source.near):
            script = folder / f"{name}.js"
            runs.append(json.loads(_value(script, f'convatlas.put("{name}",').removesuffix(")")))
        runs, near = runs[: len(source.paths)], runs[len(source.paths) :]
        bits = _bits(len(source.classes))
        x, y, gx, gy = (_unpacked(text, 16) for text in (source.x, source.y, source.gx, source.gy))
        return MapPoints(
            x=x / SIDE, y=y / SIDE, cell=np.stack((gx, gy), axis=1), grid=source.grid,
            label=_with_none(_unpacked(source.label, bits), bits),
            predicted=_with_none(_unpacked(source.predicted, bits), bits),
            classes=source.classes, colours=source.colours, levels=source.levels,
            sequence=source.sequence, scale=source.scale, without_output=source.without_output,
            near=np.concatenate([_read_near(one) for one in near]) if near else None,
            runs=list(zip(source.paths, source.first, strict=True)), near_runs=source.near,
            path=[path for run in runs for path in run["path"]],
            image_id=np.array([one for run in runs for one in run["id"]], np.int64),
        )  # fmt: skip
    except (OSError, KeyError, ValueError, binascii.Error, ValidationError):
        raise UserError(f"{script}: holds no points of a map; run the section's render stage again") from None


def _value(script: Path, begin: str) -> str:
    return script.read_text(encoding="ascii").strip().removeprefix(begin).removesuffix(";")


def _write_runs(folder: Path, points: MapPoints, first: Sequence[int]) -> tuple[list[str], list[str]]:
    """Write paths, numbers and labels of points, and which are nearest; return the names of the scripts."""
    paths = [f"paths-{number:03}" for number in range(len(first))]
    near = [f"near-{number:03}" for number in range(len(first))] if points.near is not None else []
    runs = [slice(*ends) for ends in zip(first, [*first[1:], len(points.path)], strict=True)]
    for name, run in zip(paths, runs, strict=True):
        label = _packed(points.label[run], _bits(len(points.classes)))
        ids = points.image_id[run].tolist()
        _put(folder, name, {"path": list(points.path[run]), "id": ids, "label": label})
    if points.near is not None:
        each, bits = points.near.shape[1], _bits(len(points.path))
        for name, run in zip(near, runs, strict=True):
            _put(folder, name, {"each": each, "bits": bits, "near": _packed(points.near[run], bits)})
    return paths, near


def _read_near(script: Mapping[str, Any]) -> NDArray[np.int64]:
    bits = script["bits"]
    return _with_none(_unpacked(script["near"], bits), bits).reshape(-1, script["each"])


def _runs(points: MapPoints) -> list[int]:
    """Return the first point of each script of paths; the one beside it is no larger."""
    bits = 0 if points.near is None else points.near.shape[1] * _bits(len(points.path))
    first, room = [0], PATHS_BYTES
    for row, path in enumerate(points.path):
        # Four letters are three bytes.
        size = max(len(json.dumps(path)) + 11, -(-bits // 6))
        if size > room and row > first[-1]:
            first.append(row)
            room = PATHS_BYTES
        room -= size
    return first


def _write_attribute(folder: Path, number: int, one: Attribute) -> dict[str, Any]:
    """Write an attribute's values, and return what the page has to know before it loads them."""
    script = f"attribute-{number:03}"
    about: dict[str, Any] = {"name": one.name, "script": script}
    if one.words is not None:
        bits = _bits(len(one.words))
        _put(folder, script, _packed(one.value, bits))
        return about | {"words": list(one.words), "bits": bits}
    low, high = value_range(one.value)
    share = np.clip((one.value - low) / (high - low if high > low else 1.0), 0, 1)
    steps = np.where(np.isfinite(one.value), np.rint(share * STEPS), -1)
    _put(folder, script, _packed(steps, 8))
    return about | {"low": low, "high": high, "bits": 8}


def value_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return where a scale of colours begins and ends: at the 1st and the 99th of a hundred values.

    Outliers would leave all others one colour; they have that of the end.
    """
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.01, 0.99]) if len(finite) else (0.0, 0.0)
    return float(f"{low:.4g}"), float(f"{high:.4g}")


def _put(folder: Path, name: str, value: Any) -> None:
    text = f'convatlas.put("{name}",{json.dumps(value, separators=(",", ":"))});\n'
    (folder / f"{name}.js").write_text(text, encoding="ascii")


def _bits(values: int) -> int:
    """Return the bits of a number for each of some values and one for none."""
    return next(bits for bits in (8, 16, 32) if values < 1 << bits)


def _packed(values: NDArray[Any], bits: int) -> str:
    """Return whole numbers as base64; -1 becomes the largest."""
    whole = np.asarray(values).astype(np.int64) & ((1 << bits) - 1)
    return base64.b64encode(whole.astype(f"<u{bits // 8}").tobytes()).decode("ascii")


def _unpacked(text: str, bits: int) -> NDArray[np.int64]:
    return np.frombuffer(base64.b64decode(text, validate=True), f"<u{bits // 8}").astype(np.int64)


def _with_none(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    return np.where(values == (1 << bits) - 1, -1, values)
