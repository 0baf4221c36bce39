"""What a dataset on disk holds: its images, their labels and splits, found without reading a pixel.

The class of an image is what its CSV or the tar file says, or else what its folders tell
(`pipeline.manifest.layout`); tar files named ``train-000.tar`` are splits.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.dataset.dataset import COMPRESSED, TAR, Dataset, locate, read_file
from pipeline.dataset.names import escape, left_behind, order
from pipeline.errors import UserError, some
from pipeline.formats.manifest import Skipped
from pipeline.images.image_file import HEAD, ImageError, image_format
from pipeline.manifest.csv_records import scan_csv
from pipeline.manifest.layout import Layout, read_layout
from pipeline.manifest.record import SPLITS, Record, Scan, sort_classes, understood
from pipeline.manifest.tar_records import HIDDEN, OTHER, scan_tar

# A file with another extension (labels, read-me files) is passed over; the formats that are refused are
# here too, so that they are not passed over in silence. Without an extension, the first bytes decide.
READ = (
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff", "ppm",
    "pgm", "pbm", "pnm",
)  # fmt: skip
REFUSED = (
    "heic", "heif", "hif", "avif", "eps", "ps", "psd", "fits", "fit", "pdf", "jp2", "j2k", "jxl", "ico",
    "svg", "dds", "tga", "pfm", "pam", "exr", "hdr", "pcx",
)  # fmt: skip
IMAGE_EXTENSIONS = frozenset((*READ, *REFUSED))
SHARD_SPLIT = re.compile(r"([a-z]+)[-_.\d]", re.IGNORECASE)

log = logging.getLogger(__name__)


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


def tell(found: Scan, sample: int | None = None) -> None:
    """Log which classes and splits were understood, what looks wrong about them, and what was passed over.

    Of a sample that is asked for it is said, too, where there are fewer images.
    """
    log.info("%s", found.understood)
    images = len(found.records)
    if sample is not None and sample > images:
        log.warning("dataset.sample is %d, of %d that there are: all are taken", sample, images)
    for doubt in found.doubts:
        log.warning("look: %s; if wrong, set dataset.path to the folder of the classes or to a CSV", doubt)
    if found.passed_over:
        counts = [f"{what}: {count}" for what, count in sorted(found.passed_over.items())]
        log.info("passed over: %s", ", ".join(counts))


def _hint(dataset: Dataset, found: Scan) -> str:
    if dataset.kind == "folder" and any(name.endswith(COMPRESSED) for name in os.listdir(dataset.path)):
        return "; compressed archives are not read: unpack them, or pack plain tar files"
    others = "".join(f"; passed over {what}: {count}" for what, count in sorted(found.passed_over.items()))
    return f"{others}; give class folders of images ({', '.join(READ)}), tar files, or a CSV of paths"


def _scan_files(dataset: Dataset) -> Scan:
    """Scan a folder or a single tar file."""
    walk = _Walk(dataset)
    if dataset.kind == "tar":
        walk.add_tar(dataset.path.resolve(), dataset.path.name)
    else:
        walk.add_folder("", (str(dataset.root),))
    return _arrange(walk)


class _Walk:
    """A walk through the files of a dataset, which keeps what it finds."""

    def __init__(self, dataset: Dataset) -> None:
        self.records: list[Record] = []
        self.skipped: list[Skipped] = []
        self.folders: list[str] = []
        self.other_folders: set[str] = set()
        self.passed_over: Counter[str] = Counter()
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
            passed = left_behind(entry.name) or (HIDDEN if entry.name.startswith(".") else None)
            if passed:
                self.passed_over[passed] += 1
                continue
            name = f"{folder}/{entry.name}" if folder else entry.name
            try:
                self._add_entry(entry, name, chain)
            except ImageError as error:
                self._skip(name, error)

    def add_tar(self, place: Path, name: str) -> None:
        """Take the images of a tar file."""
        for item in scan_tar(place, escape(name), IMAGE_EXTENSIONS):
            if isinstance(item, str):
                self.passed_over[item] += 1
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
        elif self._is_image(entry):
            self._add_file(entry, name)
        else:
            self.passed_over[OTHER] += 1
            self.other_folders.add(escape(name.rpartition("/")[0]))

    def _is_image(self, entry: os.DirEntry[str]) -> bool:
        if "." in entry.name:
            return entry.name.rpartition(".")[2].lower() in IMAGE_EXTENSIONS
        try:
            image_format(read_file(Path(entry.path), 0, min(entry.stat().st_size, HEAD)))
        except ImageError as error:
            return error.reason not in ("empty", "not an image")
        return True

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


def _arrange(walk: _Walk) -> Scan:
    """Give the records the labels and splits that their folders tell."""
    layout = read_layout(
        (record.path for record in walk.records), (item.path for item in walk.skipped), walk.folders,
        walk.other_folders,
    )  # fmt: skip
    annotated = _annotated(walk.records)
    records = []
    for record in walk.records:
        told = layout.label_and_split(record.path)
        if told is not None:
            label = record.label if annotated else told[0]
            split = record.split or told[1] or _shard_split(record.path)
            records.append(replace(record, label=label, split=split))
    _check_splits(records)
    classes = sort_classes(r.label for r in records if r.label) if annotated else layout.classes
    passed_over = walk.passed_over + Counter({"folders without an image": len(layout.without_image)})
    passed_over += Counter({"images beside the splits": sum(layout.beside.values())})
    return Scan(
        sorted(records, key=lambda item: order(item.path)), classes,
        sorted(walk.skipped, key=lambda item: order(item.path)), passed_over,
        understood(classes, "the annotations in the tar files" if annotated else _place(layout), records),
        [*_left_out(layout), *(() if annotated else layout.doubts)],
    )  # fmt: skip


def _annotated(records: Sequence[Record]) -> bool:
    """Return whether tar files tell the labels, and refuse labels that only some images have."""
    given = {record.label for record in records}
    if len(given) > 1 and None in given:
        first = next(record.path for record in records if record.label is None)
        raise UserError(
            f"'{first}' has no label, other images in tar files have one; add .cls, .txt or .json"
        )
    return bool(given - {None})


def _check_splits(records: Sequence[Record]) -> None:
    if len({record.split is None for record in records}) > 1:
        first = next(record.path for record in records if record.split is None)
        raise UserError(f"'{first}' belongs to no split, other images do; name a split for all or for none")


def _left_out(layout: Layout) -> list[str]:
    """Say which images are passed over since they lie beside the splits."""
    splits = some(list(layout.above))
    return [
        f"{count} {'image in' if count == 1 else 'images in'} {folder} beside the splits {splits} passed over"
        for folder, count in layout.beside.items()
    ]


def _place(layout: Layout) -> str:
    """Say which folders are the classes."""
    places = ["/".join(folders) for folders in layout.above.values()]
    return f"the folders in {some(places)}" if any(places) else "the topmost folders"


def _shard_split(path: str) -> str | None:
    """Return the split that the name of a tar file begins with."""
    shard, found, _ = path.partition(f"{TAR}/")
    match = SHARD_SPLIT.match(shard.rpartition("/")[2] + ".") if found else None
    return SPLITS.get(match[1].lower()) if match else None
