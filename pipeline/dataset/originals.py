"""The original images of a dataset by their `image_id`, as they were when the manifest was made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset.dataset import Dataset, open_dataset
from pipeline.images.decoding import ImageError, decode, decode_guarded
from pipeline.store import Reader

Array = npt.NDArray[Any]

# Manifest rows read at once when only some are wanted.
_STEP = 65536


@dataclass(frozen=True)
class Originals:
    """Some images of a dataset; made by `originals`, may be shared by threads.

    Attributes
    ----------
    dataset
        Where they are.
    image_id
        (m,) int64, ascending.
    path, sha256
        (m,) utf-8 bytes, as in the manifest.
    """

    dataset: Dataset
    image_id: npt.NDArray[np.int64]
    path: Array
    sha256: Array

    def read(self, image_id: int, *, guarded: bool = False) -> npt.NDArray[np.uint8]:
        """Read and decode one image.

        Parameters
        ----------
        image_id : int
            One of `image_id`.
        guarded : bool
            Whether to decode in a process of its own, for a file that may kill a decoder.

        Returns
        -------
        (H, W, 3) uint8
            RGB, orientation applied.

        Raises
        ------
        ImageError
            If it cannot be read or decoded any more, or its bytes are not those of the manifest ("changed").
        """
        row = int(np.searchsorted(self.image_id, image_id))
        try:
            data = self.dataset.read(self.path[row].decode())
        except OSError as error:
            raise ImageError("changed", f"cannot be read any more: {error}") from error
        if hashlib.sha256(data).hexdigest().encode() != self.sha256[row]:
            raise ImageError("changed", "its bytes are not those that the manifest lists")
        return decode_guarded(data) if guarded else decode(data)


def originals(manifest: Reader, image_ids: Array, dataset: Dataset | None = None) -> Originals:
    """Open the dataset of a manifest for reading some of its images.

    Parameters
    ----------
    manifest : Reader
        An open manifest.h5.
    image_ids : (m,) int
        Rows of the manifest.
    dataset : Dataset
        Where the images are; by default where the manifest says.

    Returns
    -------
    Originals

    Raises
    ------
    UserError
        If the dataset is not where it was.
    """
    ids = np.unique(np.asarray(image_ids, np.int64))
    place = dataset or open_dataset(Path(manifest.attributes()["dataset"]))
    return Originals(place, ids, take_rows(manifest, "path", ids), take_rows(manifest, "sha256", ids))


def take_rows(file: Reader, name: str, rows: Array) -> Array:
    """Some rows of a long dataset, without holding it whole.

    Parameters
    ----------
    file : Reader
        An open artifact.
    name : str
        A dataset (N, ...).
    rows : (m,) int
        Any order, repeats allowed.

    Returns
    -------
    (m, ...) array
        The rows in the order asked for.
    """
    wanted, back = np.unique(rows, return_inverse=True)
    parts = [file.get(name, slice(0, 0))]
    for start in range(0, file.shape(name)[0], _STEP):
        here = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, start + _STEP)]
        if here.size:
            first, last = int(here[0]), int(here[-1]) + 1
            parts.append(file.get(name, slice(first, last))[here - first])
    return np.concatenate(parts)[back]
