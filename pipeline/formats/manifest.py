"""``manifest.h5``: one row an image, sorted by path; the row's number is the image's id everywhere.

A manifest of a million images is written from one `Manifest`, and read a column at a time, or some rows of
one, from a `ManifestFile`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store

VERSION = 2


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that cannot be used, and why: one of `pipeline.images.image_file.REASONS`, and a sentence."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True)
class Manifest:
    """A manifest, its arrays in the order of `path`.

    Attributes
    ----------
    path, split, sha256
        (N,) text; `sha256` in hexadecimal digits.
    label
        (N,) int32 into `class_names`, -1 where there is none.
    class_names
        (K,) text.
    size
        (N, 2) int32, width and height after the orientation was applied, pixels.
    attributes
        Name to (N,) float64, NaN where missing, or (N,) text, empty where missing.
    box_image, box
        (B,) int64 row of the image, and (B, 4) float32 x0, y0, x1, y1 in pixels of the upright image.
    skipped
        The files that cannot be used.
    splits_drawn
        Images whose split the dataset does not give: it was drawn here.
    notes
        Path of an image that is taken although something about its file is odd, and what that is.
    """

    path: Sequence[str]
    label: NDArray[np.int32]
    class_names: Sequence[str]
    split: Sequence[str]
    size: NDArray[np.int32]
    sha256: Sequence[str]
    attributes: Mapping[str, NDArray[np.float64] | list[str]]
    box_image: NDArray[np.int64]
    box: NDArray[np.float32]
    skipped: Sequence[Skipped]
    splits_drawn: int = 0
    notes: Sequence[tuple[str, str]] = field(default=())

    @property
    def duplicates(self) -> int:
        """How many images have the same bytes as an earlier one."""
        return len(self.sha256) - len(set(self.sha256))

    @property
    def digest(self) -> str:
        """Of all paths and their contents, sha256 in hexadecimal digits."""
        lines = (f"{a} {b}\n" for a, b in zip(self.sha256, self.path, strict=True))
        content = hashlib.sha256()
        for line in lines:
            content.update(line.encode())
        return content.hexdigest()


def write_manifest(
    manifest: Manifest, out: Path, *, dataset: str, max_bad_fraction: float, params: str
) -> None:
    """Write a manifest.

    Parameters
    ----------
    manifest
        From `pipeline.manifest.manifest.build_manifest`.
    out
        The artifact.
    dataset
        The dataset's path, as the user gave it.
    max_bad_fraction
        Kept for the stages that decode.
    params
        Digest of the params block.
    """
    made_from, versions = {"dataset": manifest.digest, "params": params}, ("numpy", "pillow")
    with store.write(out, stage="manifest", version=VERSION, made_from=made_from, versions=versions) as file:
        file.set_attributes("", {"dataset": dataset, "max_bad_fraction": max_bad_fraction})
        counts = {"duplicates": manifest.duplicates, "splits_drawn": manifest.splits_drawn}
        file.set_attributes("", counts)
        file.put_strings("path", manifest.path)
        file.put("label", manifest.label)
        file.put_strings("class_names", manifest.class_names)
        file.put_strings("split", manifest.split)
        file.put("width", manifest.size[:, 0])
        file.put("height", manifest.size[:, 1])
        file.put_strings("sha256", manifest.sha256)
        for name in ("path", "reason", "message"):
            file.put_strings(f"skipped/{name}", [getattr(item, name) for item in manifest.skipped])
        if manifest.notes:
            for name, texts in zip(("path", "note"), zip(*manifest.notes, strict=True), strict=True):
                file.put_strings(f"notes/{name}", texts)
        if len(manifest.box):
            file.put("boxes/image_id", manifest.box_image)
            file.put("boxes/box", manifest.box)
        for name, values in sorted(manifest.attributes.items()):
            if isinstance(values, list):
                file.put_strings(f"attributes/{name}", values)
            else:
                file.put(f"attributes/{name}", values)


class ManifestFile:
    """An open manifest; made by `open_manifest`.

    Attributes
    ----------
    dataset
        The dataset's path, as the params give it.
    max_bad_fraction
        The largest share of images that later stages may leave out.
    duplicates
        Images whose bytes are those of an earlier image.
    splits_drawn
        Images whose split was drawn here, since the dataset gives none.
    class_names
        Sorted.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        about = file.attributes()
        self.dataset = str(about["dataset"])
        self.max_bad_fraction = float(about["max_bad_fraction"])
        self.duplicates = int(about["duplicates"])
        self.splits_drawn = int(about["splits_drawn"])
        self.class_names = tuple(file.strings("class_names"))

    def __len__(self) -> int:
        return self._file.shape("path")[0]

    def path(self, rows: slice | None = None) -> list[str]:
        """Read paths, relative to the dataset."""
        return self._file.strings("path", rows)

    def sha256(self, rows: slice | None = None) -> list[str]:
        """Read the digests of the files' bytes, in hexadecimal digits."""
        return self._file.strings("sha256", rows)

    def label(self) -> NDArray[np.int32]:
        """Read the labels, (N,) int32: rows of `class_names`, -1 where there is none."""
        return self._file.get("label")

    def split(self) -> list[str]:
        """Read the images' splits."""
        return self._file.strings("split")

    def size(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Read widths and heights, (N,) int32, of the originals, orientation applied, pixels."""
        return self._file.get("width"), self._file.get("height")

    def attributes(self) -> dict[str, NDArray[np.float64] | list[str]]:
        """Read what else the dataset says of the images.

        Returns
        -------
        dict
            By name: (N,) float64, NaN where missing, or N texts, empty where missing.
        """
        return {name: self.attribute(name) for name in self.attribute_names()}

    def attribute_names(self) -> list[str]:
        """Read the names of `attributes`, sorted."""
        return self._file.children("attributes")

    def attribute(self, name: str) -> NDArray[np.float64] | list[str]:
        """Read one of `attributes`."""
        values = self._file.get(f"attributes/{name}")
        text = values.dtype.kind == "S"
        return [value.decode("utf-8") for value in values.tolist()] if text else values

    def boxes(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Read the boxes: (B,) the row of each one's image, and (B, 4) x0, y0, x1, y1, pixels, upright."""
        if "boxes" not in self._file:
            return np.zeros(0, np.int64), np.zeros((0, 4), np.float32)
        return self._file.get("boxes/image_id"), self._file.get("boxes/box")

    def skipped(self) -> list[Skipped]:
        """Read which files cannot be used."""
        columns = (self._file.strings(f"skipped/{name}") for name in ("path", "reason", "message"))
        return [Skipped(*item) for item in zip(*columns, strict=True)]

    def notes(self) -> list[tuple[str, str]]:
        """Read which images are taken although something about their file is odd: path, and what it is."""
        if "notes" not in self._file:
            return []
        return list(zip(self._file.strings("notes/path"), self._file.strings("notes/note"), strict=True))

    def take_path(self, image_ids: NDArray[Any]) -> NDArray[np.bytes_]:
        """Read the paths of some images, (m,) utf-8, in the order asked for."""
        return self._file.take("path", image_ids)

    def take_sha256(self, image_ids: NDArray[Any]) -> NDArray[np.bytes_]:
        """Read the digests of some images, (m,) utf-8, in the order asked for."""
        return self._file.take("sha256", image_ids)

    def take_label(self, image_ids: NDArray[Any]) -> NDArray[np.int32]:
        """Read the labels of some images, (m,) int32, in the order asked for."""
        return self._file.take("label", image_ids)


@contextmanager
def open_manifest(path: Path) -> Iterator[ManifestFile]:
    """Open a manifest; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        yield ManifestFile(file)
