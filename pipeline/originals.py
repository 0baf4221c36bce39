"""The original images of a dataset by their `image_id`, as they were when the manifest was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, open_dataset, read_image
from pipeline.image import ImageError
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
    path
        (m,) utf-8 bytes, as in the manifest.
    size
        (m, 2) int, width and height (orientation applied), pixels.
    """

    dataset: Dataset
    image_id: npt.NDArray[np.int64]
    path: Array
    size: Array

    def read(self, image_id: int) -> npt.NDArray[np.uint8]:
        """Read and decode one image.

        Parameters
        ----------
        image_id : int
            One of `image_id`.

        Returns
        -------
        (H, W, 3) uint8
            RGB, orientation applied.

        Raises
        ------
        ImageError
            If it cannot be read or decoded any more, or has another size than in the manifest ("changed").
        """
        row = int(np.searchsorted(self.image_id, image_id))
        rgb = read_image(self.dataset, self.path[row].decode())
        width, height = self.size[row].tolist()
        if rgb.shape[:2] != (height, width):
            raise ImageError(
                "changed", f"{rgb.shape[1]}x{rgb.shape[0]} pixels, {width}x{height} in the manifest"
            )
        return rgb


def originals(manifest: Reader, image_ids: Array) -> Originals:
    """Open the dataset of a manifest for reading some of its images.

    Parameters
    ----------
    manifest : Reader
        An open manifest.h5.
    image_ids : (m,) int
        Rows of the manifest.

    Returns
    -------
    Originals

    Raises
    ------
    UserError
        If the dataset is not where it was.
    """
    ids = np.unique(np.asarray(image_ids, np.int64))
    size = np.stack([take_rows(manifest, name, ids) for name in ("width", "height")], -1)
    dataset = open_dataset(Path(manifest.attributes()["dataset"]))
    return Originals(dataset, ids, take_rows(manifest, "path", ids), size)


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
