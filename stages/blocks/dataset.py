"""The block `dataset`: its schema, and what is checked before any stage runs."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.analyses.embedding.structure import why_too_few
from pipeline.dataset.dataset import open_dataset, why_missing
from pipeline.dataset.names import escape, left_behind
from pipeline.errors import UserError
from pipeline.manifest.record import Scan
from pipeline.manifest.scanning import scan, tell
from pipeline.params import Block

log = logging.getLogger(__name__)
TRAIN = "train"  # as in model.weights


class Params(Block):
    """The block `dataset`."""

    path: str = Field(
        min_length=1, description="a folder of class folders or tar files, a tar file, or a CSV"
    )
    sample: int | None = Field(ge=1, description="number of images drawn; null: all")
    held_out: float = Field(
        ge=0.0,
        le=1.0,
        description="share held out as split test where the dataset has no splits; 1: all of it was held out",
    )
    seed: int = Field(ge=0, lt=2**63, description="of the sample and of the held-out share")
    max_bad_fraction: float = Field(
        ge=0.0, le=1.0, description="largest share of images that may be unusable"
    )
    check: Literal["pixels", "headers"] = Field(
        description="whether every image is decoded, or only its header read"
    )


def check(blocks: Mapping[str, Any], _network: object) -> None:
    """Refuse a dataset that cannot be read, unless `sample` is about to make it; say what was understood.

    Raises
    ------
    UserError
        Naming the path, or what is wrong in it; or a parameter that its images cannot satisfy.
    """
    path, sample = Path(blocks["dataset"].path), blocks["sample"].dataset
    made_here = Path("data") / sample
    if sample != "none" and made_here in (path, *path.parents):
        return
    dataset = open_dataset(path)
    if path.is_dir():
        _check_for_dvc(path, path)
    found = scan(dataset)
    tell(found, blocks["dataset"].sample)
    _check_images(blocks, found)


def _check_images(blocks: Mapping[str, Any], found: Scan) -> None:
    """Refuse what so many images, or images without splits, cannot satisfy; say where they make no map."""
    images = min(len(found.records), blocks["dataset"].sample or len(found.records))
    if 0 < images < blocks["topk"].k:
        raise UserError(
            f"topk.k is {blocks['topk'].k}, but there are {images} images; set it to {images} or less"
        )
    if found.records and blocks["probes"].run:
        # Which of them a sample takes, and which cannot be read, is not known yet.
        blocks["probes"].check_ids(images)
        blocks["probes"].check_paths([record.path for record in found.records])
    reason = why_too_few(images)
    if images and reason:
        log.warning("there will be no map of the images: %s", reason)
    given = any(record.split for record in found.records)
    if blocks["model"].weights == TRAIN and blocks["dataset"].held_out == 1 and not given:
        raise UserError(
            "dataset.held_out is 1, which leaves no image for training; lower it, or give model.weights that "
            "were trained elsewhere"
        )


def _check_for_dvc(folder: Path, place: Path) -> None:
    """Refuse what DVC, which hashes every file of the folder, ends at without a word of it, or waits for."""
    with os.scandir(place) as entries:
        for entry in entries:
            if left_behind(entry.name):
                continue
            if not _is_utf8(entry.name):
                raise _not_hashed(folder, entry, "its name is not UTF-8; rename it")
            if entry.is_dir(follow_symlinks=False):
                _check_for_dvc(folder, Path(entry.path))
            elif not os.path.isfile(entry.path) and not os.path.isdir(entry.path):
                lost = (
                    why_missing(Path(entry.path))
                    if entry.is_symlink()
                    else "a pipe, a socket or a device; take it away"
                )
                raise _not_hashed(folder, entry, f"it is {lost}")


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _not_hashed(folder: Path, entry: os.DirEntry[str], what: str) -> UserError:
    name = escape(os.path.relpath(entry.path, folder))
    return UserError(
        f"dataset.path: {folder}: DVC cannot hash '{name}': {what}; or leave it, and set "
        f"dataset.path to a listing, which is hashed instead: python -m pipeline.listing {folder} OUT.csv"
    )
