"""The images of a manifest as batches of a network's input, checked by their digests."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pipeline.dataset.originals import Originals
from pipeline.images.decoding import ImageError
from pipeline.images.network_input import normalise, normalise_tensor, prepare
from pipeline.images.preprocess import Preprocessing
from pipeline.parallel.threads import ordered

# Bytes kept of a digest: two of a million inputs are taken for equal by chance once in 10^26 runs.
DIGEST = 16


@dataclass(frozen=True)
class Batch:
    """Images as a network sees them.

    Attributes
    ----------
    image_id
        Rows of the manifest, ascending.
    pixels
        (n, h, w, C) uint8, as of `prepare`.
    digest
        (n, 16) uint8, of each image's pixels: equal where the inputs are.
    preprocessing
        How pixels are normalised.
    """

    image_id: list[int]
    pixels: np.ndarray
    digest: np.ndarray
    preprocessing: Preprocessing

    @cached_property
    def inputs(self) -> np.ndarray:
        """What the network is given: (n, C, h, w) float32, normalised."""
        return normalise(self.pixels, self.preprocessing)

    def inputs_on(self, device: torch.device) -> np.ndarray | Tensor:
        """Return the inputs; a GPU is sent the pixels, a quarter of the bytes, and normalises them."""
        if device.type == "cpu":
            return self.inputs
        return normalise_tensor(torch.from_numpy(self.pixels).to(device), self.preprocessing)


class Batches:
    """Images checked, decoded, prepared and normalised, a batch after the other; to be gone through once.

    A batch's images are fixed by their places among all that are asked for: one that cannot be read makes
    its batch smaller and moves no other, since the last bits of a result may depend on the images beside.

    Parameters
    ----------
    images
        Which, and where they are.
    preprocessing
        How they become inputs.
    size
        Images in a batch.
    threads
        That decode ahead while the network runs; 0: images are read when they are wanted.
    guarded
        Whether each image is decoded in a process of its own, for files that kill a decoder.

    Attributes
    ----------
    kept
        The images that could be read so far, ascending.
    skipped
        Those that could not, and why.
    """

    def __init__(
        self,
        images: Originals,
        preprocessing: Preprocessing,
        size: int,
        *,
        threads: int = 0,
        guarded: bool = False,
    ) -> None:
        self._images, self._preprocessing = images, preprocessing
        self._size, self._threads, self._guarded = size, threads, guarded
        self.kept: list[int] = []
        self.skipped: list[tuple[int, ImageError]] = []

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches in which at least one image could be read."""
        ids, loaded = self._images.image_id.tolist(), self._loaded()
        for start in range(0, len(ids), self._size):
            readable = list(self._readable(ids[start : start + self._size], loaded))
            if readable:
                image_ids, pixels = zip(*readable, strict=True)
                digest = np.stack([_digest(one) for one in pixels])
                yield Batch(list(image_ids), np.stack(pixels), digest, self._preprocessing)

    def _readable(
        self, image_ids: list[int], loaded: Iterator[np.ndarray | ImageError]
    ) -> Iterator[tuple[int, np.ndarray]]:
        for image_id in image_ids:
            image = next(loaded)
            if isinstance(image, ImageError):
                self.skipped.append((image_id, image))
            else:
                self.kept.append(image_id)
                yield image_id, image

    def _loaded(self) -> Iterator[np.ndarray | ImageError]:
        rows = range(len(self._images.image_id))
        return ordered(self._load, rows, threads=self._threads) if self._threads else map(self._load, rows)

    def _load(self, row: int) -> np.ndarray | ImageError:
        try:
            return prepare(self._images.read_row(row, guarded=self._guarded), self._preprocessing)
        except ImageError as error:
            return error


def _digest(pixels: np.ndarray) -> np.ndarray:
    """Return 16 bytes of the hash of an image's pixels."""
    return np.frombuffer(hashlib.sha256(np.ascontiguousarray(pixels).data).digest()[:DIGEST], np.uint8)
