"""Example images of concepts: ``<folder>/<concept>/``, any image files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.images.decoding import ImageError, decode
from pipeline.images.network_input import normalise, prepare
from pipeline.images.preprocess import Preprocessing

log = logging.getLogger(__name__)

# Two are held out where a third is.
FEWEST = 6


def find_examples(folder: Path) -> dict[str, list[Path]]:
    """List the files of each concept, in the order of their names.

    Raises
    ------
    UserError
        A file lies beside the folders, or a folder has fewer than six files.
    """
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith((".", "README")):
            continue
        if not path.is_dir():
            raise UserError(f"{path}: lies in no concept's folder; put it into {folder}/<concept>/")
        found[path.name] = sorted(one for one in path.iterdir() if one.name[0] != "." and one.is_file())
        _check(path, len(found[path.name]))
    return found


def read_examples(
    folder: Path, files: Sequence[Path], preprocessing: Preprocessing, size: int
) -> Iterator[NDArray[np.float32]]:
    """Yield a concept's images as batches of a network's input (n, C, h, w).

    Raises
    ------
    UserError
        Fewer than six can be read; what cannot is left out, and said.
    """
    batch, count = [], 0
    for path in files:
        try:
            batch.append(prepare(decode(path.read_bytes()), preprocessing))
        except (ImageError, OSError) as error:
            log.warning("%s: left out: %s", path, error)
            continue
        count += 1
        if len(batch) == size:
            yield normalise(np.stack(batch), preprocessing)
            batch = []
    if batch:
        yield normalise(np.stack(batch), preprocessing)
    _check(folder, count)


def _check(folder: Path, count: int) -> None:
    if count < FEWEST:
        raise UserError(f"{folder}: {count} images, a concept needs {FEWEST} or more, better 50; add some")
