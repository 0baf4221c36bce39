"""The cache of the manifest stage: what was found about files that did not change since; no artifact."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store

VERSION = 1
_STAMPS, _SIZES = ("size", "mtime", "ctime"), ("width", "height", "orientation")
_TEXTS = ("note", "reason", "message")


@dataclass(frozen=True)
class Findings:
    """Findings on N files, sorted by path.

    Attributes
    ----------
    path
        (N,) text, relative to the dataset.
    stamp
        (N, 3) int64: bytes, and the times of two kinds of change in nanoseconds; -1 where not known.
    size
        (N, 3) int64: width and height, upright, in pixels; EXIF's number of the orientation.
    sha256
        (N, 32) uint8.
    note, reason, message
        (N,) text.
    """

    path: Sequence[str]
    stamp: NDArray[np.int64]
    size: NDArray[np.int64]
    sha256: NDArray[np.uint8]
    note: Sequence[str]
    reason: Sequence[str]
    message: Sequence[str]


def write_findings(path: Path, findings: Findings, *, judge: str) -> None:
    """Write findings; `judge` is the digest of the code that made them."""
    with store.write(path, stage="cache", version=VERSION) as file:
        file.set_attributes("", {"judge": judge})
        file.put_strings("path", findings.path)
        for name, column in zip((*_STAMPS, *_SIZES), (*findings.stamp.T, *findings.size.T), strict=True):
            file.put(name, column)
        file.put("sha256", findings.sha256)
        for name in _TEXTS:
            file.put_strings(name, getattr(findings, name))


def read_findings(path: Path, *, judge: str) -> Findings | None:
    """Read findings; None where another code made them. `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        if file.attributes().get("judge") != judge:
            return None
        stamp, size = (np.stack([file.get(name) for name in names], 1) for names in (_STAMPS, _SIZES))
        texts = (file.strings(name) for name in _TEXTS)
        return Findings(file.strings("path"), stamp, size, file.get("sha256"), *texts)
