"""What the section of patches reads of its artifact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.figures.drawing.strips import ContextTile, UnitTiles, strip_size
from pipeline.figures.drawing.tiles import enlarged_side
from pipeline.store import Reader

Array = npt.NDArray[Any]

_SMALL = ("unit", "value", "image_id", "position", "box", "count_active", "passed_over")


@dataclass(frozen=True)
class Names:
    """Path and label of the images that are shown.

    Attributes
    ----------
    path
        Image id to path in the dataset.
    label
        Image id to class name; None for an image without a label.
    """

    path: dict[int, str]
    label: dict[int, str | None]


class PatchFile:
    """What is read of an open patches.h5, a unit at a time.

    Parameters
    ----------
    file : Reader
        The open file.
    """

    def __init__(self, file: Reader) -> None:
        self._file = file
        about = file.attributes()
        self.layers: list[str] = list(about["layers"])
        self.k, self.images, self.picture = int(about["k"]), int(about["images"]), int(about["picture"])
        self._context = {
            name: file.get(f"context/{name}") for name in ("image_id", "scale", "offset", "view")
        }

    def arrays(self, layer: str) -> dict[str, Array]:
        """All of a layer but pixels: each (V, ...)."""
        return {name: self._file.get(f"{layer}/{name}") for name in _SMALL}

    def attributes(self, layer: str) -> dict[str, Any]:
        """Receptive field, map size and number of units of a layer."""
        return self._file.attributes(layer)

    def image_ids(self) -> npt.NDArray[np.int64]:
        """(M,) int64, the images shown, ascending."""
        return self._context["image_id"]

    def strip_sizes(self, layer: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Width and height, pixels, of every unit's strip of patches and of its strip in context."""
        side = self._file.shape(f"{layer}/patch")[2]
        return strip_size(self.k, enlarged_side(side)), strip_size(self.k, self.picture)

    def tiles(self, layer: str, arrays: dict[str, Array], row: int) -> UnitTiles:
        """What is drawn of a unit, the one in this row of the layer's arrays."""
        here = slice(row, row + 1)
        places = zip(arrays["image_id"][row].tolist(), arrays["box"][row], strict=True)
        return UnitTiles(
            unit=int(arrays["unit"][row]),
            value=arrays["value"][row],
            patch=self._file.get(f"{layer}/patch", here)[0],
            mask=self._file.get(f"{layer}/mask", here)[0],
            context=[self._one_context(image_id, box) for image_id, box in places],
            count_active=int(arrays["count_active"][row]),
            images=self.images,
            passed_over=int(arrays["passed_over"][row]),
        )

    def _one_context(self, image_id: int, box: Array) -> ContextTile | None:
        row = int(np.searchsorted(self._context["image_id"], image_id))
        scale = float(self._context["scale"][row]) if image_id >= 0 else 0.0
        if not scale:
            return None
        offset = np.tile(self._context["offset"][row], 2)
        pixels = self._file.get("context/picture", slice(row, row + 1))[0]
        return ContextTile(pixels, box * scale + offset, self._context["view"][row] * scale + offset)
