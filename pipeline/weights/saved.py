"""The checkpoints of a training, in order: those that the training here kept, or files of the user's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = "checkpoints"
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Saved:
    """A checkpoint file.

    Attributes
    ----------
    name
        Its name without the suffix.
    epoch
        Its number; None where the names of all do not differ in one number alone. 0 is the initialisation.
    path
        The file.
    """

    name: str
    epoch: int | None
    path: Path


def saved_checkpoints(weights: Path, given: Path, *, trained_here: bool) -> list[Saved]:
    """List the checkpoints of the training that made a network, the first first.

    Parameters
    ----------
    weights
        The weights folder, which holds those that the training here kept.
    given
        The folder of the user's files, read where the weights come from elsewhere. Numbers in their names
        are compared as numbers.
    trained_here
        Whether the network was trained here.
    """
    paths = (weights / FOLDER).glob("*.safetensors") if trained_here else given_files(given)
    ordered = sorted(paths, key=lambda path: _natural(path.name))
    epochs = _epochs([path.stem for path in ordered])
    return [Saved(path.stem, epoch, path) for path, epoch in zip(ordered, epochs, strict=True)]


def given_files(folder: Path) -> list[Path]:
    """Return the files in the folder of the user's checkpoints, hidden ones left out."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key by which epoch-2 comes before epoch-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(name)]


def _epochs(names: Sequence[str]) -> list[int | None]:
    """Return the number in which the names differ, or 0 of one; None for all that differ in anything else."""
    parts = [_NUMBERS.split(name) for name in names]
    if len(names) == 1:
        # Of one file alone another number may be the network's own, as in resnet20.
        return [0 if [int(number) for number in parts[0][1::2]] == [0] else None]
    if len({len(one) for one in parts}) > 1:
        return [None] * len(names)
    differ = [place for place, column in enumerate(zip(*parts, strict=True)) if len({*column}) > 1]
    # Split at numbers, these stand at the odd places.
    if len(differ) != 1 or not differ[0] % 2:
        return [None] * len(names)
    numbers = [int(one[differ[0]]) for one in parts]
    return [*numbers] if len({*numbers}) == len(numbers) else [None] * len(names)
