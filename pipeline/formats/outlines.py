"""``outlines.h5``: the drawn units' maps on their winners, and each unit's level; read a layer at a time."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair, ReceptiveField

VERSION = 1
_ARRAYS = ("level", "half", "scale", "unit", "image_id")
_FIELD = ("size", "stride", "start")


@dataclass(frozen=True)
class About:
    """What was outlined.

    Attributes
    ----------
    layers
        In the network's order.
    sample
        Images that the levels are of.
    input_size
        Height and width of the network's input, pixels.
    """

    layers: tuple[str, ...]
    sample: int
    input_size: Pair


@dataclass(frozen=True)
class OutlinedLayer:
    """V drawn units of a layer.

    Attributes
    ----------
    geometry
        The layer's.
    ungated
        What its neurons see without gates; None where gates change nothing.
    ranked_by
        Whether maps and levels are of the layer's "output" or of its "input".
    level : (V,) float32
        Where a unit's maps are cut.
    half : (V,) bool
        Whether that is half of the unit's maximum.
    scale : (V,) float32
        What each unit's maps were divided by: a power of two, 1 where float16 holds them as they are.
    unit : (V,) int64
    image_id : (V, K) int64
        The images that the maps are of; -1 where there is none.
    """

    geometry: LayerGeometry
    ungated: ReceptiveField | None
    ranked_by: str
    level: NDArray[np.float32]
    half: NDArray[np.bool_]
    scale: NDArray[np.float32]
    unit: NDArray[np.int64]
    image_id: NDArray[np.int64]


class OutlinesWriter:
    """Outlines that are being written, layer by layer; made by `new_outlines`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_images(self, image_id: NDArray[np.int64], box: NDArray[np.float32]) -> None:
        """Write where the network's input lies in each image.

        Parameters
        ----------
        image_id
            (M,) ascending.
        box
            (M, 4) x0, y0, x1, y1 in pixels of the original image, not clipped.
        """
        self._file.put("input/image_id", image_id)
        self._file.put("input/box", box)

    def put_layer(self, name: str, layer: OutlinedLayer, maps: NDArray[np.float16]) -> None:
        """Write a layer.

        Its maps (V, K, h, w), each unit's divided by its scale, may lie on disk: they are read a unit at a
        time.
        """
        about = layer.geometry.attributes() | {"ranked_by": layer.ranked_by}
        if layer.ungated is not None:
            about |= {f"ungated_{part}": getattr(layer.ungated, part) for part in (*_FIELD, "status")}
        self._file.set_attributes(name, about)
        for array in _ARRAYS:
            values = getattr(layer, array)
            self._file.put(f"{name}/{array}", values.astype(np.uint8) if array == "half" else values)
        dataset = self._file.allocate(f"{name}/map", maps.shape, np.float16)
        for row in range(len(maps)):
            dataset[row] = maps[row]
        dataset.flush()


@contextmanager
def new_outlines(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[OutlinesWriter]:
    """Write outlines; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "torch", "pillow")
    with store.write(path, stage="outlines", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        file.set_attributes("", {name: getattr(about, name) for name in ("layers", "sample", "input_size")})
        yield OutlinesWriter(file)


class OutlinesFile:
    """Open outlines; made by `open_outlines`.

    Attributes
    ----------
    about
        What was outlined.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(tuple(found["layers"]), found["sample"], pair(found["input_size"]))
        self._image_id = file.get("input/image_id")
        self._box = file.get("input/box")

    def layer(self, name: str) -> OutlinedLayer:
        """Read all of a layer but its maps."""
        found = self._file.attributes(name)
        arrays = {array: self._file.get(f"{name}/{array}") for array in _ARRAYS}
        arrays["half"] = arrays["half"].astype(np.bool_)
        return OutlinedLayer(read_geometry(found), _ungated(found), found["ranked_by"], **arrays)

    def maps(self, layer: str, row: int) -> NDArray[np.float32]:
        """Read the K maps (K, h, w) of the unit in this row of a layer's arrays, as activations."""
        here = slice(row, row + 1)
        scale = self._file.get(f"{layer}/scale", here)
        return self._file.get(f"{layer}/map", here)[0].astype(np.float32) * scale

    def above(self, layer: str) -> NDArray[np.float64]:
        """Return what share of each unit's neurons lies above its level, on the images of its maps.

        Returns
        -------
        (V,) float64
            0 to 1; NaN of a unit that is cut at half of its maximum, or has no image.
        """
        found = self.layer(layer)
        # Rounded as maps are: of a unit that hardly varies most neurons would come to lie above its level.
        levels = (found.level / found.scale).astype(np.float16).astype(np.float32) * found.scale
        shares = np.full(len(levels), np.nan)
        there = found.image_id >= 0
        for row in np.flatnonzero(~found.half & there.any(axis=1)).tolist():
            shares[row] = (self.maps(layer, row)[there[row]] > levels[row]).mean()
        return shares

    def input_box(self, image_id: int) -> NDArray[np.float32]:
        """Return where the network's input lies in an image, as in `OutlinesWriter.put_images`."""
        return self._box[int(np.searchsorted(self._image_id, image_id))]


def open_outlines(path: Path) -> AbstractContextManager[OutlinesFile | Status]:
    """Open outlines, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, OutlinesFile)


def _ungated(found: Mapping[str, object]) -> ReceptiveField | None:
    if "ungated_status" not in found:
        return None
    size, stride, start = (pair(found[f"ungated_{part}"]) for part in _FIELD)
    return ReceptiveField(size, stride, start, str(found["ungated_status"]))
