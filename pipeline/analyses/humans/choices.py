"""Which of two images excites a unit more, as people see it: CSV files with a line an answer.

Columns: ``layer``, ``unit``, ``left`` and ``right`` (images of the dataset), ``more`` (left, right or
unsure), and where given ``annotator`` (else the file's name) and ``network`` (the first digits of the digest
of the weights whose units these are). Which answer is right does not stand in the file: activations say it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import file_lines
from pipeline.errors import UserError, nearest
from pipeline.store.cells import unquote

NEEDED = ("layer", "unit", "left", "right", "more")
COLUMNS = (*NEEDED, "annotator", "network")
SIDES = {"left": 0, "right": 1, "unsure": -1}
LARGEST_UNIT = 10**6
# Hexadecimal digits of the digest of the weights.
DIGITS = 16


@dataclass(frozen=True)
class Choice:
    """What one person said of one pair of images.

    Attributes
    ----------
    annotator
        Who.
    layer, unit
        Of which unit.
    left, right
        Paths of the images.
    more
        Which of them excites the unit more: 0 the left one, 1 the right one, -1 unsure.
    network
        First digits of the digest of the weights; empty where not given.
    place
        File and line, for messages.
    """

    annotator: str
    layer: str
    unit: int
    left: str
    right: str
    more: int
    network: str
    place: str


@dataclass
class Chosen:
    """What lies in files of choices.

    Attributes
    ----------
    choices
        In the order of the files and lines.
    unknown
        Lines about images that the run does not have, by file.
    """

    choices: list[Choice] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


def sort_files(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the files that say what images show, and those that say which of two excites a unit more.

    Raises
    ------
    UserError
        One is no text, or no CSV.
    """
    chosen = [path for path in files if _says_more(path)]
    return [path for path in files if path not in chosen], chosen


def _says_more(path: Path) -> bool:
    """Tell whether a file's first line names the units' columns: no class is asked for beside them."""
    _, header = next(file_lines(path, NEEDED[0]), (0, []))
    names = {name.strip() for name in header}
    return "label" not in names and "path" not in names and len(names & set(NEEDED)) > 1


def read_choices(files: Sequence[Path], names: Names, *, strict: bool) -> Chosen:
    """Read which of two images people found to excite a unit more.

    Parameters
    ----------
    files
        Of `sort_files`.
    names
        The images that they may name.
    strict
        Whether an image that is not there is an error; else the line is left out and counted.

    Raises
    ------
    UserError
        With file and line: a column, cell or image that is not as it must be, or a doubled answer.
    """
    found, first = Chosen(), dict[tuple[object, ...], str]()
    for path in files:
        lines = file_lines(path, NEEDED[0])
        columns = _columns(path, *next(lines))
        for line, cells in lines:
            place = f"{path}: line {line}"
            if len(cells) != len(columns):
                raise UserError(f"{place}: {len(cells)} cells, the header has {len(columns)}")
            row = {name: unquote(cells[at]).strip() for name, at in columns.items()}
            choice = _choice(row, names, path, place, strict=strict)
            if choice is None:
                found.unknown[path.name] += 1
                continue
            pair = frozenset((choice.left, choice.right))
            key = (choice.annotator, choice.layer, choice.unit, pair, choice.network)
            if key in first:
                raise UserError(f"{place}: '{choice.annotator}' has answered this already in {first[key]}; "
                                "leave one of them")  # fmt: skip
            first[key] = f"line {line} of {path.name}"
            found.choices.append(choice)
    return found


def _columns(path: Path, line: int, cells: Sequence[str]) -> dict[str, int]:
    names = [name.strip() for name in cells]
    columns = {name: at for at, name in enumerate(names)}
    if len(columns) < len(names):
        raise UserError(f"{path}: line {line}: the header has a column twice")
    for name in names:
        if name and name not in COLUMNS:
            near = nearest(name, COLUMNS)
            meant = f"; did you mean '{near}'?" if near else ""
            raise UserError(f"{path}: line {line}: no column '{name}' is known{meant}; "
                            f"valid: {', '.join(COLUMNS)}")  # fmt: skip
    for name in NEEDED:
        if name not in columns:
            raise UserError(f"{path}: line {line}: no column '{name}'; the header is {','.join(names)}")
    return columns


def _choice(row: Mapping[str, str], names: Names, path: Path, place: str, *, strict: bool) -> Choice | None:
    """Return what a line says; None where it is about images that are not there."""
    unit, more = row["unit"], row["more"].lower()
    if not row["layer"]:
        raise UserError(f"{place}: the layer is empty")
    if not (unit.isascii() and unit.isdigit()) or int(unit[:20]) > LARGEST_UNIT:
        raise UserError(f"{place}: the unit must be a whole number, got '{unit[:40]}'")
    if more not in SIDES:
        raise UserError(f"{place}: more must be left, right or unsure, got '{row['more'][:40]}'")
    images = [names.image(row[side]) for side in ("left", "right")]
    for side, image in zip(("left", "right"), images, strict=True):
        if image is None and strict:
            raise UserError(f"{place}: no image '{row[side]}' in the dataset; paths are relative to it")
    left, right = images
    if left is None or right is None:
        return None
    if left == right:
        raise UserError(f"{place}: left and right are one image")
    annotator, network = row.get("annotator", "") or path.stem, row.get("network", "").lower()
    return Choice(annotator, row["layer"], int(unit), left, right, SIDES[more], network, place)
