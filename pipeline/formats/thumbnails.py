"""``thumbnails.h5``: a small picture of every image, written one by one and read a run at a time.

Beside it stands what was measured of the whole image while it was decoded for its picture.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.images.attributes import NAMES, PixelAttributes

VERSION = 2


class ThumbnailWriter:
    """Thumbnails that are being written; made by `new_thumbnails`."""

    def __init__(self, file: store.Writer, image_id: NDArray[np.int64], side: int) -> None:
        self._image_id = image_id
        self._pixels = file.allocate("thumbnail", (len(image_id), side, side, 3), np.uint8)
        self._size = np.zeros((len(image_id), 2), np.uint16)
        self._attributes = np.full((len(NAMES), len(image_id)), np.nan, np.float32)
        self._bytes = np.zeros(len(image_id), np.int64)
        self._row = 0
        self.skipped: dict[int, str] = {}

    def measured(self, found: PixelAttributes, file_bytes: int) -> None:
        """Say of the image whose thumbnail is added next what it looks like, and how long its file is."""
        self._attributes[:, self._row] = [getattr(found, name) for name in NAMES]
        self._bytes[self._row] = file_bytes

    def add(self, pixels: NDArray[np.uint8], width: int, height: int, problem: str = "") -> None:
        """Add the next image's thumbnail.

        Parameters
        ----------
        pixels
            (T, T, 3) uint8, the image fitted into the square; 0 where it could not be read.
        width, height
            Of the image within the square, pixels; 0 where it could not be read.
        problem
            Why it could not be read.
        """
        self._pixels[self._row], self._size[self._row] = pixels, (width, height)
        if problem:
            self.skipped[int(self._image_id[self._row])] = problem
        self._row += 1

    def _finish(self, file: store.Writer) -> None:
        self._pixels.flush()
        file.put("width", self._size[:, 0])
        file.put("height", self._size[:, 1])
        for name, values in zip(NAMES, self._attributes, strict=True):
            file.put(f"attribute/{name}", values)
        file.put("file_bytes", self._bytes)
        file.put("skipped/image_id", np.array(list(self.skipped), np.int64))
        file.put_strings("skipped/reason", list(self.skipped.values()))


@contextmanager
def new_thumbnails(
    path: Path, image_id: NDArray[np.int64], side: int, *, made_from: Mapping[str, str]
) -> Iterator[ThumbnailWriter]:
    """Write thumbnails; all must be added when the block ends.

    Parameters
    ----------
    path
        The artifact.
    image_id
        (N,) rows of the manifest.
    side
        Of a thumbnail, T pixels.
    made_from
        As of `pipeline.store.write`.
    """
    versions = ("numpy", "pillow")
    with store.write(
        path, stage="thumbnails", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        file.set_attributes("", {"size": side})
        file.put("image_id", image_id)
        writer = ThumbnailWriter(file, image_id, side)
        yield writer
        writer._finish(file)


class ThumbnailFile:
    """Open thumbnails; made by `open_thumbnails`.

    Attributes
    ----------
    image_id
        (N,) int64, rows of the manifest, ascending.
    size
        (N, 2) uint16, width and height of each image within its square; 0, 0 where it could not be read.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        self.image_id: NDArray[np.int64] = file.get("image_id")
        self.size: NDArray[np.uint16] = np.stack((file.get("width"), file.get("height")), axis=1)

    def pixels(self, rows: slice) -> NDArray[np.uint8]:
        """Read some thumbnails, (n, T, T, 3) RGB."""
        return self._file.get("thumbnail", rows)

    def attribute(self, name: str) -> NDArray[np.float32]:
        """Read one of `pipeline.images.attributes.NAMES`, (N,); NaN where it is not known."""
        return self._file.get(f"attribute/{name}")

    def file_bytes(self) -> NDArray[np.int64]:
        """Read the lengths of the files, (N,) bytes; 0 where one could not be read."""
        return self._file.get("file_bytes")

    def skipped(self) -> dict[int, str]:
        """Read which images could not be read, and why."""
        image_id = self._file.get("skipped/image_id").tolist()
        return dict(zip(image_id, self._file.strings("skipped/reason"), strict=True))


@contextmanager
def open_thumbnails(path: Path) -> Iterator[ThumbnailFile]:
    """Open thumbnails; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        yield ThumbnailFile(file)
