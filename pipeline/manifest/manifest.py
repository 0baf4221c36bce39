"""Making a manifest: images found, drawn, read and checked, their boxes turned upright.

What it holds, and how it is written: `pipeline.formats.manifest`.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset.dataset import Dataset, open_dataset
from pipeline.dataset.names import order
from pipeline.errors import UserError
from pipeline.formats.manifest import Manifest, Skipped
from pipeline.manifest.cache import Cache
from pipeline.manifest.inspection import Depth, Inspection, inspect
from pipeline.manifest.record import Box, Record, Scan
from pipeline.manifest.scanning import scan, tell
from pipeline.parallel.processes import Lost, count_workers, map_guarded
from pipeline.progress import progress

SECONDS = 30.0  # for one image
EXAMPLES = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """Which images of a dataset are taken.

    Attributes
    ----------
    sample
        Number of images drawn; None takes all.
    held_out
        Share of the images that is drawn for the split "test" where the dataset has no splits; 1: nothing is
        drawn, all of them were held out.
    seed
        Of both draws.
    max_bad_fraction
        The largest share of images that may be unusable, 0 to 1.
    depth
        How images are checked: "pixels" or "headers".
    """

    sample: int | None = None
    held_out: float = 0.0
    seed: int = 0
    max_bad_fraction: float = 0.0
    depth: Depth = "pixels"


def build_manifest(path: Path, selection: Selection) -> Manifest:
    """Find the images of a dataset, read and check each that changed since the last time.

    Parameters
    ----------
    path
        A folder, a tar file or a CSV.
    selection
        Which images are taken.

    Returns
    -------
    Manifest

    Raises
    ------
    UserError
        If the dataset is missing, empty, or leads out of itself, or if too many images are unusable.
    """
    dataset = open_dataset(path)
    found = scan(dataset)
    tell(found, selection.sample)
    chosen = draw_sample([record.path for record in found.records], selection)
    findings = _inspect_all(dataset, found.records, chosen, selection.depth)
    read = [(found.records[number], findings[number]) for number in chosen]
    skipped = [
        *found.skipped, *(Skipped(r.path, f.reason, f.message) for r, f in read if f is not None and f.reason)
    ]  # fmt: skip
    usable = [(record, finding) for record, finding in read if finding is not None and not finding.reason]
    root = dataset.root if dataset.kind == "csv" else None
    _check_share(path, root, len(usable), skipped, selection.max_bad_fraction)
    return _assemble(found, usable, sorted(skipped, key=lambda item: order(item.path)), selection)


def _assemble(
    found: Scan, usable: Sequence[tuple[Record, Inspection]], skipped: Sequence[Skipped], selection: Selection
) -> Manifest:
    numbers = {name: number for number, name in enumerate(found.classes)}
    boxes = [
        (row, box if found.upright else turn_box(box, (finding.width, finding.height), finding.orientation))
        for row, (record, finding) in enumerate(usable)
        for box in record.boxes
    ]
    return Manifest(
        path=[record.path for record, _ in usable],
        label=np.array([-1 if r.label is None else numbers[r.label] for r, _ in usable], np.int32),
        class_names=list(found.classes),
        split=[record.split or draw_split(record.path, selection) for record, _ in usable],
        size=np.array([(f.width, f.height) for _, f in usable], np.int32).reshape(-1, 2),
        sha256=[finding.sha256.hex() for _, finding in usable],
        attributes=_attributes([record for record, _ in usable]),
        box_image=np.array([row for row, _ in boxes], np.int64),
        box=np.array([box for _, box in boxes], np.float32).reshape(-1, 4),
        skipped=skipped,
        splits_drawn=sum(not r.split for r, _ in usable) if selection.held_out < 1 else 0,
        notes=[(record.path, finding.note) for record, finding in usable if finding.note],
    )  # fmt: skip


def draw_sample(paths: Sequence[str], selection: Selection) -> Sequence[int]:
    """Draw the images whose hashes of seed and path are smallest; another image displaces at most one.

    Returns
    -------
    sequence of int
        Places in `paths`, ascending.
    """
    if selection.sample is None or selection.sample >= len(paths):
        return range(len(paths))
    shares = np.array([_share(selection.seed, "sample", path) for path in paths])
    return sorted(np.argsort(shares, kind="stable")[: selection.sample].tolist())


def draw_split(path: str, selection: Selection) -> str:
    """Return "test" for the share of images that is held out, by a hash of seed and path, else "train"."""
    return "test" if _share(selection.seed, "held out", path) < selection.held_out else "train"


def turn_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Move a box of the stored pixels into the upright image.

    Parameters
    ----------
    box
        x0, y0, x1, y1 in stored pixels.
    size
        Width and height of the upright image, pixels.
    orientation
        EXIF's number, 1 to 8.
    """
    width, height = size
    x0, y0, x1, y1 = box
    if orientation >= 5:
        # 5 to 8 swap the axes and then mirror as 1, 4, 3 (for 7) and 2 (for 6) do.
        x0, y0, x1, y1 = y0, x0, y1, x1
    if orientation in (2, 3, 6, 7):
        x0, x1 = width - x1, width - x0
    if orientation in (3, 4, 7, 8):
        y0, y1 = height - y1, height - y0
    return x0, y0, x1, y1


def _share(seed: int, purpose: str, path: str) -> float:
    """Return a number in [0, 1) that depends on nothing but its arguments."""
    hashed = hashlib.blake2b(f"{seed}:{purpose}:{path}".encode(), digest_size=8).digest()
    return (int.from_bytes(hashed, "big") >> 11) / 2**53


def _inspect_all(
    dataset: Dataset, records: Sequence[Record], chosen: Sequence[int], depth: Depth
) -> list[Inspection | None]:
    """Return a finding for at least the chosen records, cached or made now by several processes."""
    cache = Cache(dataset.path, depth)
    findings = cache.recall(records)
    unread = [number for number in chosen if findings[number] is None]
    log.info("%d images, %d of them unchanged since the last run", len(chosen), len(chosen) - len(unread))
    if not unread:
        return findings
    results = map_guarded(
        partial(_inspect, dataset, depth), [records[number] for number in unread],
        workers=count_workers(), seconds=SECONDS,
    )  # fmt: skip
    try:
        with progress("reading images", total=len(unread), unit="images") as bar:
            for number, result in results:
                findings[unread[number]] = _lost(result.reason) if isinstance(result, Lost) else result
                bar.advance()
    finally:
        # What was read before Ctrl-C need not be read again.
        cache.keep(records, findings)
    return findings


def _inspect(dataset: Dataset, depth: Depth, record: Record) -> Inspection:
    return inspect(dataset, record, depth)


def _lost(reason: str) -> Inspection:
    message = (
        f"not decoded within {SECONDS:g} s" if reason == "timeout" else "the process that decoded it died"
    )
    return Inspection(reason=reason, message=message)


def _check_share(
    path: Path, root: Path | None, usable: int, skipped: Sequence[Skipped], largest: float
) -> None:
    """Refuse too many unusable images; `root` is that of a CSV's paths."""
    total = usable + len(skipped)
    examples = "; ".join(f"{item.path} ({item.reason}: {item.message})" for item in skipped[:EXAMPLES])
    if not usable:
        relative = (
            f"; paths are relative to {root}, or to what a first line '# root: FOLDER' names" if root else ""
        )
        raise UserError(
            f"dataset.path: {path}: none of {total} files is a usable image, such as {examples}{relative}"
        )
    if len(skipped) / total > largest:
        raise UserError(
            f"dataset.path: {path}: {len(skipped)} of {total} images are unusable, more than "
            f"dataset.max_bad_fraction = {largest:g} allows; mend or remove them, or raise it: {examples}"
        )


def _attributes(records: Sequence[Record]) -> dict[str, npt.NDArray[np.float64] | list[str]]:
    names = sorted({name for record in records for name in record.attributes})
    return {name: _column([record.attributes.get(name, "") for record in records]) for name in names}


def _column(texts: list[str]) -> npt.NDArray[np.float64] | list[str]:
    """Return numbers if all that is given are finite numbers, else the text."""
    try:
        values = np.array([float(text) if text else np.nan for text in texts])
    except ValueError:
        return texts
    given = np.array([bool(text) for text in texts])
    return values if given.any() and np.isfinite(values[given]).all() else texts
