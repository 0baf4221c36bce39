"""Findings on files that did not change since they were last read, kept outside DVC's sight."""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import __version__ as pillow_version

from pipeline.dataset.names import order
from pipeline.errors import UserError
from pipeline.formats.findings import Findings, read_findings, write_findings
from pipeline.images import decoding, image_file, jpeg
from pipeline.manifest.inspection import Depth, Inspection
from pipeline.manifest.record import Record

CACHE_VARIABLE = "CONVATLAS_CACHE"
DEFAULT_FOLDER = Path(".cache")
# A file that is written again within the resolution of its time stamp looks unchanged.
RESOLUTION = 2_000_000_000  # ns
# These say something of the moment, not of the file.
PASSING = ("missing", "unreadable", "not a file", "changed", "timeout", "crashed")

log = logging.getLogger(__name__)


class Cache:
    """The findings of the last run on one dataset.

    A finding is taken over if the file's size and times of change are the same, and the decoder and the code
    that judged it are; so it never says anything that reading the file again would not.
    """

    def __init__(self, dataset: Path, depth: Depth) -> None:
        folder = Path(os.environ.get(CACHE_VARIABLE, "") or DEFAULT_FOLDER)
        name = hashlib.sha256(f"{depth}:{dataset}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._file = folder / f"images-{name}.h5"
        self._judge = _judge()
        self._started = time.time_ns()

    def recall(self, records: Sequence[Record]) -> list[Inspection | None]:
        """Return the finding on each record, None where it must be read.

        Parameters
        ----------
        records
            Sorted by path.
        """
        known: list[Inspection | None] = [None] * len(records)
        rows = self._rows()
        row = next(rows, None)
        for number, record in enumerate(records):
            key = order(record.path)
            while row is not None and order(row[0]) < key:
                row = next(rows, None)
            if row is not None and row[0] == record.path and row[1] == _stamp(record):
                known[number] = row[2]
        return known

    def keep(self, records: Sequence[Record], findings: Sequence[Inspection | None]) -> None:
        """Keep findings, sorted by path; those on files that changed a moment ago are left out."""
        rows = [
            (record, finding)
            for record, finding in zip(records, findings, strict=True)
            if finding is not None
            and record.mtime is not None
            and finding.sha256
            and finding.reason not in PASSING
            and max(record.mtime, record.ctime or 0) < self._started - RESOLUTION
        ]
        stamps = np.array([_stamp(record) for record, _ in rows], np.int64).reshape(-1, 3)
        sizes = np.array([(f.width, f.height, f.orientation) for _, f in rows], np.int64).reshape(-1, 3)
        digests = np.frombuffer(b"".join(f.sha256 for _, f in rows), np.uint8).reshape(-1, 32)
        try:
            kept = Findings(
                [record.path for record, _ in rows], stamps, sizes, digests,
                *([getattr(f, name) for _, f in rows] for name in ("note", "reason", "message")),
            )  # fmt: skip
            write_findings(self._file, kept, judge=self._judge)
        except (UserError, OSError) as error:
            log.warning("%s: findings are not kept for the next run: %s", self._file, error)

    def _rows(self) -> Iterator[tuple[str, tuple[int, int, int], Inspection]]:
        found = self._read()
        if found is None:
            return
        inspections = map(
            Inspection,
            map(bytes, found.sha256),
            *found.size.T.tolist(),
            found.note,
            found.reason,
            found.message,
        )
        yield from zip(found.path, map(tuple, found.stamp.tolist()), inspections, strict=True)

    def _read(self) -> Findings | None:
        if not self._file.exists():
            return None
        try:
            return read_findings(self._file, judge=self._judge)
        except (UserError, OSError) as error:
            log.warning("%s: passed over, every image is read again: %s", self._file, error)
            return None


def _stamp(record: Record) -> tuple[int, int, int]:
    """Return what changes with a file: size and times; -1 where the dataset does not tell."""
    return tuple(-1 if v is None else v for v in (record.size, record.mtime, record.ctime))  # type: ignore[return-value]


def _judge() -> str:
    """Return a digest of the code that judges an image."""
    content = hashlib.sha256(pillow_version.encode())
    for module in (decoding, image_file, jpeg):
        content.update(Path(str(module.__file__)).read_bytes())
    return content.hexdigest()
