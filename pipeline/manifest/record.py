"""One image of a dataset as it was found on disk, before its bytes are looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.errors import some
from pipeline.formats.manifest import Skipped

Box: TypeAlias = tuple[float, float, float, float]
# Of a box; no image is longer, and float32 holds no larger number that a box could need.
LARGEST_COORDINATE = 1e9  # pixels
NO_ATTRIBUTES: Mapping[str, str] = {}
SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test", "train_set": "train", "training_set": "train", "val_set": "val",
    "validation_set": "val", "test_set": "test", "testing_set": "test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """An image of a dataset.

    Attributes
    ----------
    path
        Relative, "/" between folders, escaped as `dataset.names` says; ``shard.tar/member`` in a tar.
    label
        Name of its class; None where the dataset gives none.
    split
        "train", "val", "test" or another name; None where the dataset gives none.
    boxes
        x0, y0, x1, y1 in pixels.
    attributes
        Name to text, as the dataset gives it.
    size, mtime, ctime
        Bytes, and times of change of the file in nanoseconds; None where not known. Of an image in a tar
        file, the times of that file.
    """

    path: str
    label: str | None = None
    split: str | None = None
    boxes: tuple[Box, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)
    size: int | None = None
    mtime: int | None = None
    ctime: int | None = None


@dataclass(frozen=True)
class Scan:
    """All that was found in a dataset.

    Attributes
    ----------
    records
        The images, sorted by the bytes of their path.
    classes
        Names of the classes, those without an image included; see `sort_classes`.
    skipped
        What was found but is no regular file.
    passed_over
        What was left out as it is no image of the dataset, and how often: files of other names, what systems
        and tools leave behind, folders without an image.
    understood
        How classes and splits were found, for people.
    doubts
        What looks wrong about that, a sentence each.
    upright
        Whether boxes refer to the image after its orientation was applied, rather than as stored.
    """

    records: Sequence[Record]
    classes: Sequence[str]
    skipped: Sequence[Skipped] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    understood: str = ""
    doubts: Sequence[str] = ()
    upright: bool = False


def is_box(box: Box) -> bool:
    """Return whether x0, y0, x1, y1 enclose something: finite numbers, x0 < x1 and y0 < y1."""
    x0, y0, x1, y1 = box
    return all(abs(edge) <= LARGEST_COORDINATE for edge in box) and x0 < x1 and y0 < y1


def is_attribute(name: str) -> bool:
    """Return whether a name can be that of an attribute: HDF5 ends names at "/" and at NUL."""
    return "/" not in name and "\0" not in name and name not in ("", ".", "..")


def canonical_split(name: str) -> str:
    """Return "train", "val" or "test" for their usual names, any other name as it is."""
    return SPLITS.get(name.lower(), name)


def sort_classes(labels: Iterable[str]) -> list[str]:
    """Sort names of classes: by number if all are whole numbers, else by their bytes."""
    names = set(labels)
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))


def understood(classes: Sequence[str], source: str, records: Iterable[Record]) -> str:
    """Say which classes and splits were found, and where the classes are from."""
    splits = sorted({record.split for record in records if record.split})
    number = f"{len(classes)} class{'es' * (len(classes) > 1)}"
    named = f"{number}, {source}: {some(classes)}" if classes else "no classes"
    return f"{named}; " + (f"splits: {some(splits)}" if splits else "no splits")
