"""The images in a tar file, with what its members of the same key say of them (WebDataset's layout).

The key is a member's path up to the first dot of its name: ``0001.jpg`` belongs with ``0001.cls`` or
``0001.txt`` (the class, one line) or ``0001.json`` (``label``, ``split``, ``boxes``, and any other text or
number as an attribute).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import stat_result
from pathlib import Path
from typing import Any

from pipeline.dataset.dataset import read_file
from pipeline.dataset.names import escape
from pipeline.dataset.tars import Member, index
from pipeline.errors import UserError
from pipeline.formats.manifest import Skipped
from pipeline.images.image_file import ImageError
from pipeline.manifest.record import (
    NO_ATTRIBUTES,
    Box,
    Record,
    canonical_split,
    is_attribute,
    is_box,
)

LABELS = ("json", "cls", "txt")
LONGEST_TEXT = 1 << 20


@dataclass(slots=True)
class _Annotation:
    label: str | None = None
    split: str | None = None
    boxes: tuple[Box, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)


def scan_tar(path: Path, name: str, is_image: frozenset[str]) -> Iterator[Record | Skipped | None]:
    """Yield the images of a tar file; None for each member that was passed over.

    Parameters
    ----------
    path
        The tar file.
    name
        Its path in the dataset, before the members' names.
    is_image
        Extensions that images may have, lower case, without the dot.

    Raises
    ------
    UserError
        If the file is broken or an annotation in it cannot be read.
    """
    found = index(path)
    status = path.stat()
    notes: dict[str, dict[str, Member]] = {}
    for member in found.values():
        key, extension = split_key(member.name)
        if extension in LABELS:
            notes.setdefault(key, {})[extension] = member
    for member in found.values():
        key, extension = split_key(member.name)
        if extension not in is_image:
            if extension not in LABELS:
                yield None
        elif member.offset < 0:
            yield Skipped(f"{name}/{member.name}", "not a file", "a link or a device in the tar file")
        else:
            yield _record(f"{name}/{member.name}", member, _annotation(path, notes.get(key, {})), status)


def split_key(name: str) -> tuple[str, str]:
    """Return a member's key and the last part of its extension, lower case."""
    folder, slash, file = name.rpartition("/")
    stem, _, extension = file.partition(".")
    return folder + slash + stem, extension.rpartition(".")[2].lower()


def _record(path: str, member: Member, note: _Annotation, status: stat_result) -> Record:
    return Record(
        path=path, label=note.label, split=note.split, boxes=note.boxes, attributes=note.attributes,
        size=member.size, mtime=status.st_mtime_ns, ctime=status.st_ctime_ns,
    )  # fmt: skip


def _annotation(path: Path, members: Mapping[str, Member]) -> _Annotation:
    note = _Annotation()
    if "json" in members:
        note = _from_json(path, members["json"])
    for extension in ("cls", "txt"):
        if note.label is None and extension in members:
            note.label = _label(path, members[extension], _text(path, members[extension]).strip())
    return note


def _text(path: Path, member: Member) -> str:
    if not 0 <= member.size <= LONGEST_TEXT:
        raise _error(path, member, f"{member.size} bytes are not a label")
    try:
        return read_file(path, member.offset, member.size).decode("utf-8")
    except (UnicodeDecodeError, ImageError) as error:
        raise _error(path, member, f"not UTF-8 text ({error})") from None


def _label(path: Path, member: Member, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _error(path, member, f"the label {value!r} is neither a name nor a number")
    text = str(value).strip()
    if not text or "\n" in text:
        raise _error(path, member, "the label is missing; it must be one line")
    if text.startswith("-") and text[1:].isdigit():
        raise _error(path, member, f"the label {text} is out of range; labels are names or count from 0")
    return escape(text)


def _from_json(path: Path, member: Member) -> _Annotation:
    try:
        content = json.loads(_text(path, member))
        # Half of a surrogate pair can be written in JSON, and nowhere else.
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _error(path, member, f"not JSON ({error})") from None
    if not isinstance(content, dict):
        return _Annotation(label=_label(path, member, content))
    note = _Annotation(boxes=_boxes(path, member, content.get("boxes")))
    if content.get("label") is not None:
        note.label = _label(path, member, content["label"])
    if isinstance(content.get("split"), str):
        note.split = canonical_split(content["split"])
    others = {key: value for key, value in content.items() if key not in ("label", "split", "boxes")}
    note.attributes = {
        key: str(value)
        for key, value in others.items()
        if isinstance(value, str | int | float) and is_attribute(key)
    } or NO_ATTRIBUTES
    return note


def _boxes(path: Path, member: Member, value: Any) -> tuple[Box, ...]:
    if value is None:
        return ()
    try:
        boxes = [(float(x0), float(y0), float(x1), float(y1)) for x0, y0, x1, y1 in value]
    except (TypeError, ValueError, OverflowError):
        raise _error(path, member, "boxes must be lists of four numbers x0, y0, x1, y1") from None
    for box in boxes:
        if not is_box(box):
            raise _error(path, member, f"{list(box)} is no box of pixels; it must have x0 < x1 and y0 < y1")
    return tuple(boxes)


def _error(path: Path, member: Member, text: str) -> UserError:
    return UserError(f"{path}: member '{member.name}': {text}")
