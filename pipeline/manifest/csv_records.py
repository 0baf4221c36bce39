"""The images that a CSV names: ``path``, and where given ``label``, ``split``, a box, and attributes.

A first line ``# root: FOLDER`` says what paths are relative to (by default the CSV's own folder),
``# classes: a,b,c`` gives the class names, which labels then name or count from 0, ``# labels: some`` says
that not all images have one, and ``# boxes: upright`` that boxes refer to images with their orientation
applied, not to the stored pixels. Columns ``size`` (bytes) and ``mtime`` (nanoseconds), which a listing has,
tell which files did not change. Every further column is an attribute. An image with several boxes has several
rows.

What other programs write is understood: cells between ``;``, tabs or ``|``, UTF-16 with its mark, first
columns without a name or called ``Unnamed: 0`` (the row numbers of pandas), paths with backslashes (Windows).
"""

import csv
import os
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.dataset.dataset import HEAD_BYTES, csv_encoding, csv_root, csv_settings
from pipeline.dataset.names import ESCAPED, escape, leaves, left_behind, order, unescape
from pipeline.errors import UserError, stand_in
from pipeline.manifest.record import (
    NO_ATTRIBUTES,
    Box,
    Record,
    Scan,
    canonical_split,
    is_attribute,
    is_box,
    sort_classes,
    understood,
)
from pipeline.store.cells import unquote

BOX = ("x0", "y0", "x1", "y1")
KNOWN = ("path", "label", "split", *BOX, "size", "mtime")
SETTINGS = ("root", "classes", "labels", "boxes")
# Of a setting that has two values, the first one by default.
VALUES = {"boxes": ("stored", "upright"), "labels": ("all", "some")}
LARGEST_NUMBER = 2**63 - 1
SEPARATORS = (",", ";", "\t", "|")
# How pandas calls the row numbers that it writes first, and those of an earlier table that it read.
ROW_NUMBERS = re.compile(r"(Unnamed: [\d.]+)?")
DRIVE = re.compile(r"[A-Za-z]:[\\/]")
# What the column of labels is called elsewhere, in small letters; as an attribute it would leave all images
# without one.
LABELS = frozenset((
    "label", "labels", "class", "classes", "class_id", "class_name", "classname", "category", "category_id",
    "target",
))  # fmt: skip


def scan_csv(path: Path) -> Scan:
    """Read a CSV of images.

    Parameters
    ----------
    path
        UTF-8 text; the module's docstring says what it holds.

    Returns
    -------
    Scan

    Raises
    ------
    UserError
        With the line's number: a column or cell that is missing, impossible, or at odds with an earlier row.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if instead := stand_in(head):
        raise UserError(f"{path}: {instead}")
    encoding = csv_encoding(head)
    settings = _settings(path, head.decode(encoding, "replace"))
    classes = _classes(path, settings.get("classes", ""))
    reader = _Rows(path, classes)
    with path.open(encoding=encoding, newline="") as file:
        try:
            for line, cells in csv_lines(file):
                reader.add(line, cells)
        except UnicodeError:
            raise not_text(path, encoding) from None
        except csv.Error as error:
            raise UserError(f"{path}: after line {reader.line}: not a CSV ({error})") from None
    records = sorted(reader.records.values(), key=lambda record: order(record.path))
    reader.check_complete(() if settings.get("labels") == "some" else ("label",))
    names = classes or sort_classes(record.label for record in records if record.label is not None)
    return Scan(
        records, names, passed_over=reader.passed_over,
        understood=understood(names, "'# classes:'" if classes else "the column 'label'", records),
        upright=settings.get("boxes") == "upright",
    )  # fmt: skip


def _settings(path: Path, head: str) -> dict[str, str]:
    settings = csv_settings(head)
    for name in settings:
        if name not in SETTINGS:
            raise UserError(f"{path}: line 1: unknown setting '{name}'; valid: {', '.join(SETTINGS)}")
    for name, valid in VALUES.items():
        if settings.get(name, valid[0]) not in valid:
            raise UserError(f"{path}: '# {name}: {settings[name]}'; valid: {', '.join(valid)}")
    return settings


def _classes(path: Path, setting: str) -> list[str]:
    names = [name.strip() for name in setting.split(",") if name.strip()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: '# classes:' names '{twice}' twice; name each class once")
    return names


def not_text(path: Path, encoding: str) -> UserError:
    """Return the `UserError` that names the line; the decoder reads ahead, so its own place says little."""
    if encoding == "utf-16":
        return UserError(f"{path}: begins as UTF-16 and goes on otherwise; save it as UTF-8")
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return UserError(f"{path}: line {line}: not UTF-8 ({error.reason}); save it as UTF-8")
    return UserError(f"{path}: changed while it was read; run again")


def csv_lines(file: Iterator[str], column: str = "path") -> Iterator[tuple[int, list[str]]]:
    """Yield the number and cells of each row of a CSV that has this column, settings before it left out."""
    skipped = 0
    first = next(file, "")
    # Excel's own first line names the separator.
    while first.startswith(("#", "sep=")):
        skipped, first = skipped + 1, next(file, "")
    reader = csv.reader(_rejoined(first, file), delimiter=_separator(first, column))
    for cells in reader:
        if cells:
            yield skipped + reader.line_num, cells


def _separator(header: str, column: str) -> str:
    """Return the separator by which the header has a column; a comma where none gives it."""
    found = (mark for mark in SEPARATORS if column in [name.strip(" \r\n\"'") for name in header.split(mark)])
    return next(found, ",")


def _rejoined(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


class _Rows:
    """Rows of a CSV on their way to records; `add` takes one after the other."""

    def __init__(self, path: Path, classes: Sequence[str]) -> None:
        self.records: dict[str, Record] = {}
        self.line = 0
        self.passed_over: Counter[str] = Counter()
        self._path, self._classes = path, classes
        self._root = csv_root(path)
        self._width = 0
        self._columns: dict[str, int] = {}
        self._attributes: list[tuple[str, int]] = []
        self._first: dict[str, int] = {}
        self._gap: dict[str, int] = {}
        self._filled: set[str] = set()

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Take the header, then a row."""
        self.line = line
        if not self._columns:
            self._read_header(cells)
            return
        if len(cells) != self._width:
            raise self._error(f"{len(cells)} cells, the header has {self._width}")
        passed = left_behind(self._image_path(cells))
        if passed:
            self.passed_over[passed] += 1
            return
        record = self._record(cells)
        known = self.records.get(record.path)
        if known is None:
            self.records[record.path], self._first[record.path] = record, line
        else:
            self.records[record.path] = self._with_box(known, record)

    def check_complete(self, always: Collection[str]) -> None:
        """Refuse a CSV without a header, and a split or one of the columns `always` that some rows lack."""
        if not self._columns:
            raise UserError(f"{self._path}: line 1: no header; it begins with 'path,label'")
        for column, line in self._gap.items():
            if column in self._filled and column in ("split", *always):
                self.line = line
                remedy = "; a first line '# labels: some' allows it" if column == "label" else ""
                raise self._error(f"the {column} is missing; other rows have one{remedy}")

    def _error(self, text: str) -> UserError:
        return UserError(f"{self._path}: line {self.line}: {text}")

    def _read_header(self, cells: Sequence[str]) -> None:
        names = [unquote(cell).strip() for cell in cells]
        self._width = len(names)
        first = next((place for place, name in enumerate(names) if not ROW_NUMBERS.fullmatch(name)), 0)
        self._columns = {name: place for place, name in enumerate(names) if place >= first}
        if len(self._columns) + first < len(names) or "" in self._columns:
            raise self._error("the header has a column twice or without a name")
        if "path" not in self._columns:
            raise self._error(
                f"no column 'path'; the header is {escape(','.join(names))}, and is to name the "
                "columns, that of the images path and that of their classes label"
            )
        labels = next((name for name in names if name.lower() in LABELS), None)
        if labels and "label" not in self._columns:
            raise self._error(
                f"no column 'label', but '{labels}'; call it label, or otherwise if images have no classes"
            )
        if 0 < len([name for name in BOX if name in self._columns]) < len(BOX):
            raise self._error(f"a box needs all of the columns {','.join(BOX)}")
        self._attributes = [(name, place) for name, place in self._columns.items() if name not in KNOWN]
        for name, _ in self._attributes:
            if not is_attribute(name):
                raise self._error(
                    f"the column '{escape(name)}' cannot name an attribute; leave out '/' and dots"
                )

    def _cell(self, cells: Sequence[str], column: str) -> str:
        place = self._columns.get(column)
        return "" if place is None else unquote(cells[place]).strip()

    def _record(self, cells: Sequence[str]) -> Record:
        label, split = (self._watched(cells, column) for column in ("label", "split"))
        size, mtime = (self._whole(cells, column) for column in ("size", "mtime"))
        return Record(
            path=self._image_path(cells), label=None if label is None else self._label(label),
            split=None if split is None else canonical_split(split), boxes=self._box(cells),
            attributes={name: unquote(cells[at]).strip() for name, at in self._attributes} or NO_ATTRIBUTES,
            size=size, mtime=mtime,
        )  # fmt: skip

    def _watched(self, cells: Sequence[str], column: str) -> str | None:
        """Return a cell that all rows must have, or none."""
        text = self._cell(cells, column)
        if text:
            self._filled.add(column)
            return text
        self._gap.setdefault(column, self.line)
        return None

    def _image_path(self, cells: Sequence[str]) -> str:
        text = unquote(cells[self._columns["path"]])
        if DRIVE.match(text):
            raise self._error(
                f"the path '{escape(text)}' begins with a drive; use paths below the root, with '/'"
            )
        system = self._system_name(text)
        if leaves(system) or "\0" in system:
            raise self._error(
                f"the path '{escape(text)}' leads out of the dataset; paths are relative to its root, "
                f"{escape(str(self._root))}: {self._shorter(system)}"
            )
        return posixpath.normpath(escape(system))

    def _shorter(self, path: str) -> str:
        """Say how to write a path that is not relative to the root."""
        root = f"{self._root}/"
        if path.startswith(root):
            return f"write '{escape(path.removeprefix(root))}'"
        return "name the folder that holds them in a first line '# root: FOLDER', and write paths from there"

    def _system_name(self, text: str) -> str:
        r"""Return the name on disk: `\xab` is an escaped byte, or a file "xab" behind Windows' separator."""
        names = (unescape(text), text)
        if "\\" not in text:
            return text
        known = next((name for name in names if os.path.lexists(self._root / name)), None)
        if known is not None:
            return known
        slashes = text.replace("\\", "/")
        windows = "\\" in ESCAPED.sub("", text) or os.path.lexists(self._root / slashes)
        return slashes if windows else names[0]

    def _label(self, text: str) -> str:
        if self._classes and text not in self._classes:
            if text.isascii() and text.isdigit() and int(text) < len(self._classes):
                return self._classes[int(text)]
            raise self._error(f"the label '{escape(text)}' is none of the {len(self._classes)} classes")
        if text.startswith("-") and text[1:].isdigit():
            raise self._error(f"the label {text} is out of range; labels are names or count from 0")
        return escape(unescape(text))

    def _whole(self, cells: Sequence[str], column: str) -> int | None:
        text = self._cell(cells, column)
        if not text:
            return None
        # Python itself refuses to read numbers of thousands of digits.
        whole = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))
        if not whole or int(text) > LARGEST_NUMBER:
            raise self._error(f"{column} must be a whole number of 64 bits, got '{escape(text[:40])}'")
        return int(text)

    def _box(self, cells: Sequence[str]) -> tuple[Box, ...]:
        texts = [self._cell(cells, column) for column in BOX]
        if not any(texts):
            return ()
        try:
            x0, y0, x1, y1 = map(float, texts)
        except ValueError:
            raise self._error(f"the box {','.join(texts)} is not four numbers") from None
        if not is_box((x0, y0, x1, y1)):
            raise self._error(f"{','.join(texts)} is no box of pixels; it must have x0 < x1 and y0 < y1")
        return ((x0, y0, x1, y1),)

    def _with_box(self, known: Record, again: Record) -> Record:
        first = self._first[known.path]
        if not known.boxes or not again.boxes:
            raise self._error(f"'{known.path}' is listed already in line {first}; only boxes may repeat it")
        if replace(known, boxes=()) != replace(again, boxes=()):
            raise self._error(f"'{known.path}' has another label, split or attribute than in line {first}")
        return replace(known, boxes=known.boxes + again.boxes)
