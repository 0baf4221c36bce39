"""The original images of a dataset by their `image_id`, as they were when the manifest was made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset.dataset import Dataset, open_dataset
from pipeline.errors import UserError
from pipeline.formats.manifest import ManifestFile
from pipeline.images.decoding import ImageError, decode
from pipeline.images.guarded import decode_guarded

Array = npt.NDArray[Any]


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

    def take(self, image_ids: Array) -> Originals:
        """Return some of them, by their ids."""
        rows = np.flatnonzero(np.isin(self.image_id, image_ids))
        return Originals(self.dataset, self.image_id[rows], self.path[rows], self.sha256[rows])

    def read(self, image_id: int) -> npt.NDArray[np.uint8]:
        """Read and decode one image: `read_row`, the image being named by its id."""
        return self.read_row(int(np.searchsorted(self.image_id, image_id)))

    def read_sized(self, image_id: int) -> tuple[npt.NDArray[np.uint8], int]:
        """Read and decode one image as `read` does, and return how many bytes its file has, too."""
        data = self._bytes(int(np.searchsorted(self.image_id, image_id)))
        return decode(data), len(data)

    def read_row(self, row: int, *, guarded: bool = False) -> npt.NDArray[np.uint8]:
        """Read and decode one image.

        Parameters
        ----------
        row : int
            Its place in `image_id`.
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
        data = self._bytes(row)
        return decode_guarded(data) if guarded else decode(data)

    def _bytes(self, row: int) -> bytes:
        try:
            data = self.dataset.read(self.path[row].decode())
        except OSError as error:
            raise ImageError("changed", f"cannot be read any more: {error}") from error
        if hashlib.sha256(data).hexdigest().encode() != self.sha256[row]:
            raise ImageError("changed", "its bytes are not those that the manifest lists")
        return data


def none_readable(stage: str, count: int, what: str = "images") -> UserError:
    """Return what a stage says where none of its images can be read as the manifest has them."""
    return UserError(f"{stage}: none of {count} {what} can be read any more; run the manifest stage again")


def originals(manifest: ManifestFile, image_ids: Array, dataset: Dataset | None = None) -> Originals:
    """Open the dataset of a manifest for reading some of its images.

    Parameters
    ----------
    manifest : ManifestFile
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
    place = dataset or open_dataset(Path(manifest.dataset))
    return Originals(place, ids, manifest.take_path(ids), manifest.take_sha256(ids))
