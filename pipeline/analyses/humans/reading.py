"""People's answers in CSV files: a row an answer, or a table of how many people chose each class.

Answers have the columns ``path`` and ``label``, and where given ``annotator``, ``condition``,
``confidence``, and further guesses ``label_2``, ``label_3``, …; a table of counts has ``path`` and a column
for each class. Separators and encodings are understood as in a CSV of images.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.analyses.humans.naming import NONE, Names
from pipeline.dataset.dataset import HEAD_BYTES, csv_encoding
from pipeline.errors import UserError, nearest, stand_in
from pipeline.manifest.csv_records import csv_lines, not_text
from pipeline.store.cells import unquote

OTHERS = ("annotator", "condition", "confidence")
MOST_GUESSES = 20
LARGEST_COUNT = 10**9


@dataclass(frozen=True)
class Answer:
    """What one person said of one image.

    Attributes
    ----------
    path, annotator, condition
        Which image, who, and under which condition; the last may be empty.
    guesses
        Classes, the first guess first; "" is none of them.
    confidence
        0 to 1; None where it was not given.
    """

    path: str
    annotator: str
    condition: str
    guesses: tuple[str, ...]
    confidence: float | None


@dataclass
class Given:
    """What lies in a folder of answers.

    Attributes
    ----------
    answers
        In the order of the files and lines.
    counts
        By the table's name and the image's path: how many people chose each class.
    unknown
        Lines about images that the run does not have, by file.
    """

    answers: list[Answer] = field(default_factory=list)
    counts: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)


def find_files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder, sorted by name.

    Raises
    ------
    UserError
        Another file lies there.
    """
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    for path in files:
        if path.suffix.lower() not in (".csv", ".tsv"):
            raise UserError(f"{path}: is no CSV; people's answers are CSV files, see inputs/README.md")
    return files


def read_answers(files: Sequence[Path], names: Names, *, strict: bool) -> Given:
    """Read people's answers.

    Parameters
    ----------
    files
        CSV files.
    names
        The images and classes that they may name.
    strict
        Whether an image that is not there is an error; else it is left out and counted.

    Raises
    ------
    UserError
        With file and line: a column, cell, class or image that is not as it must be, or a doubled answer.
    """
    given = Given()
    first: dict[tuple[str, ...], str] = {}
    for path in files:
        reader = _Reader(path, names, given, first, strict=strict)
        for line, cells in file_lines(path):
            reader.add(line, cells)
        reader.finish()
    return given


def file_lines(path: Path, column: str = "path") -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that has some; the first one names this column.

    Raises
    ------
    UserError
        It is no text, or no CSV.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if instead := stand_in(head):
        raise UserError(f"{path}: {instead}")
    encoding, line = csv_encoding(head), 0
    with path.open(encoding=encoding, newline="") as file:
        try:
            for line, cells in csv_lines(file, column):
                yield line, cells
        except UnicodeError:
            raise not_text(path, encoding) from None
        except csv.Error as error:
            raise UserError(f"{path}: after line {line}: not a CSV ({error})") from None


class _Reader:
    """Rows of one file on their way to answers."""

    def __init__(
        self, path: Path, names: Names, given: Given, first: dict[tuple[str, ...], str], *, strict: bool
    ) -> None:
        self._path, self._names, self._given, self._first = path, names, given, first
        self._strict = strict
        self.line, self._taken = 0, 0
        self._columns: dict[str, int] = {}
        self._guesses: tuple[str, ...] = ()
        self._classes: Mapping[str, str] = {}

    def add(self, line: int, cells: Sequence[str]) -> None:
        self.line = line
        if not self._columns:
            self._read_header([name.strip() for name in cells])
        elif len(cells) != len(self._columns):
            raise self._error(f"{len(cells)} cells, the header has {len(self._columns)}")
        else:
            self._add_row({name: unquote(cells[at]).strip() for name, at in self._columns.items()})

    def finish(self) -> None:
        """Refuse a file that says nothing of this dataset."""
        if not self._columns:
            raise UserError(f"{self._path}: is empty; its first line names the columns, such as path,label")
        if not self._taken and self._given.unknown[self._path.name]:
            raise UserError(f"{self._path}: names no image of the dataset; paths are relative to the dataset")

    def _read_header(self, names: list[str]) -> None:
        self._columns = {name: at for at, name in enumerate(names)}
        if len(self._columns) < len(names):
            raise self._error("the header has a column twice")
        if "path" not in self._columns:
            raise self._error(f"no column 'path'; the header is {','.join(names)}")
        if "label" not in self._columns:
            self._read_class_columns()
            return
        known = ["label", *(f"label_{place}" for place in range(2, MOST_GUESSES + 1))]
        self._guesses = tuple(name for name in known if name in self._columns)
        for name in names:
            if name and name not in ("path", *OTHERS, *known):
                near = nearest(name, ["path", *OTHERS, *known])
                meant = f"; did you mean '{near}'?" if near else ""
                raise self._error(f"no column '{name}' is known{meant}; valid: path, label, label_2, "
                                  f"{', '.join(OTHERS)}")  # fmt: skip

    def _read_class_columns(self) -> None:
        """Take the header of a table of counts."""
        classes: dict[str, str] = {}
        for name in self._columns:
            if name in ("path", ""):
                continue
            label = self._names.label(name)
            if label is None:
                raise self._error(
                    f"no column 'label', and the column '{name}' is no class ({self._names.nearby()})"
                )
            if label in classes.values():
                raise self._error(f"the class '{label or NONE}' has two columns")
            classes[name] = label
        if not classes:
            raise self._error("no column 'label', and no column of a class")
        if self._path.stem in self._given.counts:
            raise self._error(f"another table of counts is called {self._path.stem} too; rename one")
        self._classes = classes
        self._given.counts[self._path.stem] = {}

    def _add_row(self, row: Mapping[str, str]) -> None:
        image = self._names.image(row["path"])
        if image is None:
            if self._strict:
                raise self._error(f"no image '{row['path']}' in the dataset; paths are relative to it")
            self._given.unknown[self._path.name] += 1
            return
        self._taken += 1
        if self._classes:
            self._once((self._path.stem, image), f"'{image}' is counted")
            self._given.counts[self._path.stem][image] = self._counted(row)
            return
        answer = self._answer(image, row)
        who = (answer.annotator, answer.condition, image, "")
        self._once(who, f"'{answer.annotator}' has labelled '{image}'")
        self._given.answers.append(answer)

    def _once(self, key: tuple[str, ...], what: str) -> None:
        if key in self._first:
            raise self._error(f"{what} already in {self._first[key]}; leave one of them")
        self._first[key] = f"line {self.line} of {self._path.name}"

    def _answer(self, image: str, row: Mapping[str, str]) -> Answer:
        if not row["label"]:
            raise self._error(f"the label is empty; write {NONE} where no class fits")
        guesses = tuple(self._label(row[name]) for name in self._guesses if row[name])
        named = [guess for guess in guesses if guess]
        if len(set(named)) < len(named):
            raise self._error("two guesses name one class")
        annotator = row.get("annotator", "") or self._path.stem
        return Answer(image, annotator, row.get("condition", ""), guesses, self._confidence(row))

    def _label(self, text: str) -> str:
        label = self._names.label(text)
        if label is None:
            near = nearest(text, self._names.classes or ())
            meant = f"; did you mean '{near}'?" if near else f"; they are {self._names.nearby()}"
            raise self._error(f"the label '{text}' is no class of the dataset{meant}")
        return label

    def _confidence(self, row: Mapping[str, str]) -> float | None:
        text = row.get("confidence", "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise self._error(f"confidence must be a number from 0 to 1, got '{text[:40]}'")
        return value

    def _counted(self, row: Mapping[str, str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for name, label in self._classes.items():
            text = row[name] or "0"
            if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_COUNT:
                raise self._error(f"column '{name}' must be a count of people, got '{text[:40]}'")
            counts[label] = int(text)
        if not sum(counts.values()):
            raise self._error("nobody chose any class; leave out this line")
        return counts

    def _error(self, text: str) -> UserError:
        return UserError(f"{self._path}: line {self.line}: {text}")


def annotators_of(given: Given) -> Iterator[tuple[str, int]]:
    """Yield each named annotator and how many answers there are, most answers first, then by name."""
    counts = Counter(answer.annotator for answer in given.answers)
    yield from sorted(counts.items(), key=lambda item: (-item[1], item[0]))
