"""WordNet ids: the names that ImageNet gives to its classes, and the files that say which outputs they are.

ImageNet numbers its classes by their sorted ids; the files are needed where a dataset has a part of them.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import UserError

log = logging.getLogger(__name__)

JSON_FILE = "imagenet_class_index.json"
TEXT_FILE = "LOC_synset_mapping.txt"
WNID = re.compile(r"n\d{8}", re.ASCII)
FORM = 'it must be {"0": ["n01440764", "tench"], ...}'


def is_wnid(name: str) -> bool:
    """Return whether a class is named by a WordNet id, such as n01440764."""
    return WNID.fullmatch(name) is not None


def match_wnids(
    classes: Sequence[str], outputs: Sequence[str], index: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Find the network's output for those classes of the dataset that are WordNet ids.

    The index decides. Without one, ids in sorted order are the outputs, as in ImageNet, if every class is an
    id and there are as many as outputs; this is logged. Nothing is found for a network whose outputs are
    ids themselves: their names decide.

    Parameters
    ----------
    classes
        Names of the dataset's classes.
    outputs
        Names of the network's outputs.
    index
        Output of each id, as `read_class_index` returns it.

    Returns
    -------
    dict of str to int
        Index of the output for each id that has one.

    Raises
    ------
    UserError
        The index has another number of classes than the network has outputs.
    """
    found = sorted({name for name in classes if is_wnid(name)})
    if not found or any(is_wnid(name) for name in outputs):
        return {}
    if index:
        if len(index) != len(outputs):
            raise UserError(
                f"inputs/classes: the class index lists {len(index)} classes, but the network has "
                f"{len(outputs)} outputs; take the file away and write mapping.csv (dataset_class,output)"
            )
        return {name: index[name] for name in found if name in index}
    if len(found) != len(outputs) or len(found) != len(classes):
        return {}
    log.info(
        "the %d classes are WordNet ids, as many as outputs: in sorted order they are taken for the outputs, "
        "as in ImageNet; inputs/classes/mapping.csv can say otherwise", len(found),
    )  # fmt: skip
    return {name: number for number, name in enumerate(found)}


def class_index_file(folder: Path) -> Path | None:
    """Return the file in ``inputs/classes`` that says which WordNet id is which output, None without one.

    Raises
    ------
    UserError
        There are two.
    """
    files = [folder / name for name in (JSON_FILE, TEXT_FILE) if (folder / name).exists()]
    if len(files) > 1:
        raise UserError(f"{folder}: both {JSON_FILE} and {TEXT_FILE} give the order of outputs; keep one")
    return files[0] if files else None


def read_class_index(folder: Path) -> dict[str, int]:
    """Read which WordNet id is which output; empty without a file.

    Parameters
    ----------
    folder
        ``inputs/classes``. It may hold ``imagenet_class_index.json``, as Keras publishes it, or
        ``LOC_synset_mapping.txt`` of the ImageNet challenge: one class a line, in the order of the outputs.

    Returns
    -------
    dict of str to int
        Index of the output, each from 0 to one below the number of ids exactly once.

    Raises
    ------
    UserError
        There are both files, or the one has another form, a missing number or an id twice.
    """
    path, entries = _read_entries(folder)
    if path is None:
        return {}
    wnids = [wnid for wnid, _ in entries]
    if not wnids:
        raise UserError(f"{path}: lists no class; take it away, or put the whole file there")
    for name in wnids:
        if not is_wnid(name):
            raise UserError(f"{path}: '{name}' is no WordNet id; one looks like n01440764")
    twice = _first_repeated(wnids)
    if twice is not None:
        raise UserError(f"{path}: '{twice}' stands there twice; keep the entry of its output")
    return {name: number for number, name in enumerate(wnids)}


def read_called(folder: Path) -> dict[str, str]:
    """Read what WordNet ids are called, from the same files: the first of several words for one thing.

    Returns
    -------
    dict of str to str
        Empty without a file; an id without words is not in it.

    Raises
    ------
    UserError
        As `read_class_index` does, of a file that cannot be read.
    """
    _, entries = _read_entries(folder)
    words = ((wnid, called.split(",")[0].replace("_", " ").strip()) for wnid, called in entries)
    return {wnid: called for wnid, called in words if called}


def _read_entries(folder: Path) -> tuple[Path | None, list[tuple[str, str]]]:
    """Return the file of the class index, and its ids with their words in the order of the outputs."""
    path = class_index_file(folder)
    if path is None:
        return None, []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text in UTF-8 ({error})") from None
    return path, _from_json(path, text) if path.name == JSON_FILE else _from_lines(text)


def _from_json(path: Path, text: str) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not JSON ({error}); {FORM}") from None
    # With this hook an object is a list of pairs, in which a key that stands there twice can be seen.
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise UserError(f"{path}: not an object of numbers; {FORM}")
    entries: dict[int, tuple[str, str]] = {}
    for key, value in pairs:
        number = int(key) if key.isdecimal() else -1
        if number < 0 or number in entries or not _is_entry(value):
            raise UserError(f"{path}: entry '{key}' is wrong or there twice; {FORM}")
        entries[number] = value[0], str(value[1]) if len(value) > 1 else ""
    for number in range(len(entries)):
        if number not in entries:
            raise UserError(f"{path}: no entry '{number}' of {len(entries)}; put the whole file there")
    return [entries[number] for number in range(len(entries))]


def _is_entry(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _from_lines(text: str) -> list[tuple[str, str]]:
    parts = ([*line.split(maxsplit=1), ""] for line in text.splitlines() if line.strip())
    return [(wnid, words.strip()) for wnid, words, *_ in parts]


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
