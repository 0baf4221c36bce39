"""The images in a tar file, with what its members of the same key say of them (WebDataset's layout).

The key is a member's path up to the first dot of its name: ``0001.jpg`` belongs with ``0001.cls`` or
``0001.txt`` (the class, one line) or ``0001.json`` (``label``, ``split``, ``boxes``, and any other text or
number as an attribute). Where names have dots of their own (``22.05.png``, ``22.06.png``), an image takes the
annotation that shares most of its name; one annotation of a key is that of all images of the key.
"""

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os import stat_result
from pathlib import Path
from typing import Any

from pipeline.dataset.dataset import read_file
from pipeline.dataset.names import escape, is_hidden, left_behind
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
# What is passed over, as it is counted.
OTHER = "files of other names"
HIDDEN = "hidden"
UNUSED = "annotations of no image"
LONGEST_TEXT = 1 << 20


@dataclass(slots=True)
class _Annotation:
    label: str | None = None
    split: str | None = None
    boxes: tuple[Box, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)


def scan_tar(path: Path, name: str, is_image: frozenset[str]) -> Iterator[Record | Skipped | str]:
    """Yield the images of a tar file; for each other member that is passed over, what it is.

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
        If the file is broken, an annotation in it cannot be read, or two of a kind may belong to an image.
    """
    found = index(path)
    status = path.stat()
    images, annotations = [], _Annotations(path)
    for member in found.values():
        extension = posixpath.splitext(member.name)[1].removeprefix(".").lower()
        passed = left_behind(member.name) or (HIDDEN if is_hidden(member.name) else None)
        if passed or (extension not in is_image and extension not in LABELS):
            yield passed or OTHER
        elif extension in LABELS:
            annotations.add(member, extension)
        else:
            images.append(member)
    annotations.give_away(images)
    for member in images:
        if member.offset < 0:
            yield Skipped(
                f"{name}/{member.name}", "not a file", "a device, or a link to no file of the tar file"
            )
        else:
            yield _record(f"{name}/{member.name}", member, _read(path, annotations.of(member)), status)
    yield from [UNUSED] * annotations.unused


def key_of(name: str) -> str:
    """Return a member's key: its path up to the first dot of its name."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


def _stems(name: str) -> Iterator[str]:
    """Yield what an annotation of an image may be called before its extension, the closest first."""
    key = key_of(name)
    while len(name) > len(key):
        yield name
        name = name.rpartition(".")[0]
    yield key


class _Annotations:
    """The annotations in a tar file, by key, kind and stem; `of` finds those of an image."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, dict[str, Member]]] = {}
        self._owned: set[str] = set()
        self._used: set[str] = set()
        self._count = 0

    @property
    def unused(self) -> int:
        """How many were no image's."""
        return self._count - len(self._used)

    def add(self, member: Member, kind: str) -> None:
        """Take an annotation."""
        stem = member.name.rpartition(".")[0]
        same = self._known.setdefault(key_of(member.name), {}).setdefault(kind, {})
        if stem in same:
            raise self._both(same[stem].name, member.name, stem)
        same[stem] = member
        self._count += 1

    def give_away(self, images: Iterable[Member]) -> None:
        """Learn which annotations bear the whole name of an image: they are no other image's."""
        for image in images:
            self._owned.update((image.name, image.name.rpartition(".")[0]))

    def of(self, image: Member) -> dict[str, Member]:
        """Return the annotations of an image by their kind."""
        kinds = self._known.get(key_of(image.name), {})
        chosen = {kind: self._choose(image, by_stem) for kind, by_stem in kinds.items()}
        found = {kind: member for kind, member in chosen.items() if member is not None}
        self._used.update(member.name for member in found.values())
        return found

    def _choose(self, image: Member, by_stem: Mapping[str, Member]) -> Member | None:
        own = next((by_stem[stem] for stem in _stems(image.name) if stem in by_stem), None)
        if own is not None:
            return own
        if len(by_stem) > 1:
            first, second, *_ = [member.name for member in by_stem.values()]
            raise self._both(first, second, image.name)
        (stem,) = by_stem
        return None if stem in self._owned else by_stem[stem]

    def _both(self, first: str, second: str, image: str) -> UserError:
        return UserError(
            f"{self._path}: '{first}' and '{second}' have the key '{key_of(image)}', and either may be the "
            f"annotation of '{image}'; call each annotation like its image, or keep one for the key"
        )


def _record(path: str, member: Member, note: _Annotation, status: stat_result) -> Record:
    return Record(
        path=path, label=note.label, split=note.split, boxes=note.boxes, attributes=note.attributes,
        size=member.size, mtime=status.st_mtime_ns, ctime=status.st_ctime_ns,
    )  # fmt: skip


def _read(path: Path, members: Mapping[str, Member]) -> _Annotation:
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
        return read_file(path, member.offset, member.size).decode("utf-8-sig")
    except (UnicodeDecodeError, ImageError) as error:
        raise _error(path, member, f"not UTF-8 text ({error})") from None


def _label(path: Path, member: Member, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _error(path, member, f"the label {value!r} is neither a name nor a number")
    text = str(value).strip()
    if not text:
        raise _error(path, member, "the label is missing; it must be one line")
    lines = text.splitlines()
    if len(lines) > 1:
        raise _error(
            path, member,
            f"line 2: {escape(lines[1][:40])!r}, but a label is one line; if this is a caption, leave it out "
            "and give the class as .cls or .json",
        )  # fmt: skip
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
