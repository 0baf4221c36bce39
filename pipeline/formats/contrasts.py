"""``contrasts.h5``: of the drawn units the images that excite them least and yet do, and some at random."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.patches import Patches
from pipeline.formats.status import Status, mark, opened

VERSION = 1
KINDS = ("weakest", "random")
_ARRAYS = ("value", "image_id", "position", "box")


@dataclass(frozen=True)
class About:
    """What was looked at.

    Attributes
    ----------
    layers
        In the network's order.
    images
        How many the weakest are chosen from.
    size
        Side of a patch, pixels.
    """

    layers: tuple[str, ...]
    images: int
    size: int


@dataclass(frozen=True)
class ContrastKind:
    """V units, each with K images.

    Attributes
    ----------
    value : (V, K) float32
        What the images are ranked by; -inf in a place that stays empty.
    image_id : (V, K) int64
        -1 in a place that stays empty.
    position : (V, K, 2) uint16
        y, x in the map.
    box : (V, K, 4) float32
        Receptive fields, x0, y0, x1, y1 in pixels of the original images, not clipped; all that the network
        saw of an image on which the unit is not active.
    """

    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]


class ContrastsWriter:
    """Contrasts that are being written; made by `new_contrasts`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_units(self, layer: str, unit: NDArray[np.int64], ranked_by: str) -> None:
        """Write which units of a layer these are (V,), and what their images are ranked by."""
        self._file.set_attributes(layer, {"ranked_by": ranked_by})
        self._file.put(f"{layer}/unit", unit)

    def put_kind(self, layer: str, name: str, kind: ContrastKind, patches: Patches) -> None:
        """Write a kind; its patches (V, K, …), which may lie on disk, are read a unit at a time."""
        group = f"{layer}/{name}"
        for array in _ARRAYS:
            self._file.put(f"{group}/{array}", getattr(kind, array))
        patches.put(self._file, group)


@contextmanager
def new_contrasts(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[ContrastsWriter]:
    """Write contrasts; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "pillow")
    with store.write(
        path, stage="contrasts", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", vars(about))
        yield ContrastsWriter(file)


class ContrastsFile:
    """Open contrasts; made by `open_contrasts`.

    Attributes
    ----------
    about
        What was looked at.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(tuple(found["layers"]), found["images"], found["size"])

    def units(self, layer: str) -> tuple[NDArray[np.int64], str]:
        """Read which units of a layer these are, (V,), and what their images are ranked by."""
        return self._file.get(f"{layer}/unit"), str(self._file.attributes(layer)["ranked_by"])

    def kind(self, layer: str, name: str) -> ContrastKind:
        """Read all of a kind but its patches."""
        return ContrastKind(*(self._file.get(f"{layer}/{name}/{array}") for array in _ARRAYS))

    def patches(self, layer: str, name: str, row: int) -> Patches:
        """Read the K patches of the unit in this row of a layer's arrays."""
        return Patches.of_unit(self._file, f"{layer}/{name}", row)


def open_contrasts(path: Path) -> AbstractContextManager[ContrastsFile | Status]:
    """Open contrasts, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, ContrastsFile)
