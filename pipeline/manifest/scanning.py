"""What a dataset on disk holds: its images, their labels and splits, found without reading a pixel.

The class of an image is what its CSV or the tar file says, or else the first folder that it lies in; folders
``train``, ``val`` and ``test`` above the classes are splits, and so are tar files named ``train-000.tar``.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.dataset.dataset import TAR, Dataset, locate
from pipeline.dataset.names import escape, order
from pipeline.errors import UserError
from pipeline.formats.manifest import Skipped
from pipeline.images.image_file import ImageError
from pipeline.manifest.csv_records import scan_csv
from pipeline.manifest.record import SPLITS, Record, Scan, canonical_split, sort_classes
from pipeline.manifest.tar_records import scan_tar

# A file with another extension (labels, read-me files) is passed over; the formats that are refused are
# here too, so that they are not passed over in silence. Without an extension, the first bytes decide.
READ = ("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff")
REFUSED = (
    "heic",
    "heif",
    "hif",
    "avif",
    "eps",
    "ps",
    "psd",
    "fits",
    "fit",
    "pdf",
    "jp2",
    "j2k",
    "jxl",
    "ico",
    "svg",
)
IMAGE_EXTENSIONS = frozenset((*READ, *REFUSED, "dds", "tga", "ppm", "pgm", "pbm", "pnm"))
SHARD_SPLIT = re.compile(r"([a-z]+)[-_.\d]", re.IGNORECASE)
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")


def scan(dataset: Dataset) -> Scan:
    """Find the images of a dataset.

    Parameters
    ----------
    dataset
        From `pipeline.dataset.dataset.open_dataset`.

    Returns
    -------
    Scan

    Raises
    ------
    UserError
        If it is empty, broken, or leads out of itself.
    """
    if dataset.kind == "csv":
        found = scan_csv(dataset.path)
    else:
        found = _scan_files(dataset)
    if not found.records and not found.skipped:
        raise UserError(f"dataset.path: {dataset.path} holds no image{_hint(dataset, found)}")
    return found


def _hint(dataset: Dataset, found: Scan) -> str:
    if dataset.kind == "folder" and any(name.endswith(COMPRESSED) for name in os.listdir(dataset.path)):
        return "; compressed archives are not read: unpack them, or pack plain tar files"
    others = f" among {found.ignored} other files" if found.ignored else ""
    return f"{others}; give class folders of images, tar files, or a CSV of paths"


def _scan_files(dataset: Dataset) -> Scan:
    """Scan a folder or a single tar file."""
    walk = _Walk(dataset)
    if dataset.kind == "tar":
        walk.add_tar(dataset.path.resolve(), dataset.path.name)
    else:
        walk.add_folder("", (str(dataset.root),))
    records, classes = _arrange(walk)
    skipped = sorted(walk.skipped, key=lambda item: order(item.path))
    return Scan(sorted(records, key=lambda item: order(item.path)), classes, skipped, walk.ignored)


class _Walk:
    """A walk through the files of a dataset, which keeps what it finds."""

    def __init__(self, dataset: Dataset) -> None:
        self.records: list[Record] = []
        self.skipped: list[Skipped] = []
        self.folders: list[str] = []
        self.ignored = 0
        self._dataset = dataset

    def add_folder(self, folder: str, chain: tuple[str, ...]) -> None:
        """Take what lies below a folder; `chain` are the real paths of it and the folders above it."""
        try:
            with os.scandir(self._dataset.root / folder) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self._skip(folder, ImageError("unreadable", error.strerror or "cannot be listed"))
            return
        for entry in entries:
            if not entry.name.startswith("."):
                name = f"{folder}/{entry.name}" if folder else entry.name
                try:
                    self._add_entry(entry, name, chain)
                except ImageError as error:
                    self._skip(name, error)

    def add_tar(self, place: Path, name: str) -> None:
        """Take the images of a tar file."""
        for item in scan_tar(place, escape(name), IMAGE_EXTENSIONS):
            if item is None:
                self.ignored += 1
            elif isinstance(item, Skipped):
                self.skipped.append(item)
            else:
                self.records.append(item)

    def _add_entry(self, entry: os.DirEntry[str], name: str, chain: tuple[str, ...]) -> None:
        real = os.path.join(chain[-1], entry.name)
        if entry.is_symlink():
            real = str(locate(self._dataset.root, name, source=str(self._dataset.path)))
        if entry.is_dir():
            if real in chain:
                raise ImageError("not a file", "a link to a folder above it: a loop")
            self.folders.append(escape(name))
            self.add_folder(name, (*chain, real))
        elif not entry.is_file():
            raise ImageError("not a file", "a pipe, a socket or a device")
        elif name.endswith(TAR):
            self.add_tar(Path(real), name)
        elif entry.name.rpartition(".")[2].lower() in IMAGE_EXTENSIONS or "." not in entry.name:
            self._add_file(entry, name)
        else:
            self.ignored += 1

    def _add_file(self, entry: os.DirEntry[str], name: str) -> None:
        try:
            status = entry.stat()
        except OSError as error:
            raise ImageError("unreadable", error.strerror or "cannot be examined") from None
        self.records.append(
            Record(escape(name), size=status.st_size, mtime=status.st_mtime_ns, ctime=status.st_ctime_ns)
        )

    def _skip(self, name: str, error: ImageError) -> None:
        self.skipped.append(Skipped(escape(name), error.reason, error.message))


def _arrange(walk: _Walk) -> tuple[list[Record], list[str]]:
    """Give the records the labels and splits that their folders tell, and return the classes."""
    given = {record.label for record in walk.records}
    if len(given) > 1 and None in given:
        first = next(record.path for record in walk.records if record.label is None)
        raise UserError(
            f"'{first}' has no label, other images in tar files have one; add .cls, .txt or .json"
        )
    layouts = [_folders(record.path) for record in walk.records]
    depth = 1 if _are_splits(layouts) else 0
    folders = [tuple(folder.split("/")) for folder in walk.folders]
    below = [folder for folder in folders if not depth or folder[0].lower() in SPLITS]
    labels = {layout[depth] for layout in [*layouts, *below] if len(layout) > depth}
    classes = {label for label in given if label is not None} or labels
    records = [
        replace(
            record,
            label=record.label if given - {None} else layout[depth] if len(layout) > depth else None,
            split=record.split or (canonical_split(layout[0]) if depth else _shard_split(record.path)),
        )
        for record, layout in zip(walk.records, layouts, strict=True)
    ]
    if len({record.split is None for record in records}) > 1:
        first = next(record.path for record in records if record.split is None)
        raise UserError(f"'{first}' belongs to no split, other images do; name a split for all or for none")
    return records, sort_classes(classes)


def _folders(path: str) -> tuple[str, ...]:
    """Return the folders of an image, the tar file that it lies in left out."""
    return tuple(part for part in path.split("/")[:-1] if not part.endswith(TAR))


def _are_splits(layouts: Sequence[tuple[str, ...]]) -> bool:
    """Return whether the topmost folders are splits, with nothing beside them."""
    return bool(layouts) and all(layout and layout[0].lower() in SPLITS for layout in layouts)


def _shard_split(path: str) -> str | None:
    """Return the split that the name of a tar file begins with."""
    shard, found, _ = path.partition(f"{TAR}/")
    match = SHARD_SPLIT.match(shard.rpartition("/")[2] + ".") if found else None
    return SPLITS.get(match[1].lower()) if match else None
