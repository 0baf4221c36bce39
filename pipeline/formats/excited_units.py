"""``excited_units.h5``: the units that images excite most, relative to what else excites these."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
_ARRAYS = ("image_id", "layer", "unit", "rank", "value")


@dataclass(frozen=True)
class ExcitedUnits:
    """Of n images the m units that each excites most, the first first.

    Attributes
    ----------
    layers
        In the network's order.
    images
        N, that the ranks are among.
    compared
        Units that were compared, each active on some image; of those with equal maxima on every image, one.
    image_id : (n,) int64
        Ascending.
    layer, unit : (n, m) int64
        The layer's place in `layers`, and the unit's number in it; -1 where the image excites fewer units.
    rank : (n, m) int64
        Images that excite the unit at least as much, this one among them; -1 where there is no unit.
    value : (n, m) float32
        The unit's largest activation on the image, of what enters it where the layer is ranked by its input.
    """

    layers: tuple[str, ...]
    images: int
    compared: int
    image_id: NDArray[np.int64]
    layer: NDArray[np.int64]
    unit: NDArray[np.int64]
    rank: NDArray[np.int64]
    value: NDArray[np.float32]

    @property
    def first(self) -> NDArray[np.int64]:
        """(n,) int64, each image's rank in its first unit; the last of all where it excites none."""
        return np.where(self.rank[:, 0] > 0, self.rank[:, 0], self.images)


def write_excited_units(path: Path, found: ExcitedUnits, *, made_from: Mapping[str, str]) -> None:
    """Write the units; `made_from` as of `pipeline.store.write`."""
    with store.write(
        path, stage="excited_units", version=VERSION, made_from=made_from, versions=("numpy",)
    ) as file:
        mark(file)
        about = {"layers": found.layers, "images": found.images, "compared": found.compared}
        file.set_attributes("", about)
        for name in _ARRAYS:
            file.put(name, getattr(found, name))


def read_excited_units(path: Path) -> ExcitedUnits | Status:
    """Read the units, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _excited_units)


def _excited_units(file: store.Reader) -> ExcitedUnits:
    about = file.attributes()
    arrays = {name: file.get(name) for name in _ARRAYS}
    return ExcitedUnits(tuple(about["layers"]), int(about["images"]), int(about["compared"]), **arrays)
