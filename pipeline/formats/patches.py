"""``patches.h5``: what activated the drawn units most, cut from the images, and each such image as a whole.

Contexts are written as they are drawn, then layer by layer; patches are read a unit at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.activations import INPUT, OUTPUT
from pipeline.formats.geometry import LayerGeometry, pair, read_geometry
from pipeline.numerics.geometry import Pair

VERSION = 2
_ARRAYS = ("value", "image_id", "position", "box", "passed_over", "unit", "count_active", "count_at_maximum")
_BOUNDED = ("input", "output_rank")
_GEOMETRY = {"offset": 2, "view": 4}


@dataclass(frozen=True)
class About:
    """What was drawn.

    Attributes
    ----------
    layers
        In the network's order.
    size, picture
        Sides of a patch and of a context, S and C pixels.
    k
        Patches of each unit.
    images
        How many were ranked.
    input_size
        Height and width of the network's input, pixels.
    """

    layers: tuple[str, ...]
    size: int
    picture: int
    k: int
    images: int
    input_size: Pair


@dataclass(frozen=True)
class Context:
    """The network's view of an image, centred in a square.

    Attributes
    ----------
    pixels
        (C, C, 3) uint8, 0 beside the view.
    scale
        Its pixels per pixel of the original image.
    offset
        x, y in it of the original image's left upper corner.
    view
        x0, y0, x1, y1 of the view in pixels of the original image.
    """

    pixels: NDArray[np.uint8]
    scale: float
    offset: Sequence[float] | NDArray[np.float32]
    view: Sequence[float] | NDArray[np.float32]


@dataclass(frozen=True)
class DrawnLayer:
    """V units of a layer and what fills their K places.

    Attributes
    ----------
    geometry
        The layer's.
    units, units_never_active
        Of the layer; of these without a positive maximum on any image.
    value : (V, K) float32
        Largest outputs; -inf in an empty place.
    image_id : (V, K) int64
        Near-duplicates passed over; -1 in an empty place.
    position : (V, K, 2) uint16
        y, x in the map.
    box : (V, K, 4) float32
        x0, y0, x1, y1 in pixels of the original image, not clipped.
    passed_over : (V,) int64
        Near-duplicates that were passed over.
    unit : (V,) int64
    count_active : (V,) int64
        Images on which the unit's maximum is positive.
    count_at_maximum : (V,) int64
        Images on which it is the largest that the unit has.
    input : (V, K) float32 or None
        What the images of a bounded layer are ranked by; -inf in an empty place.
    output_rank : (V, K) int64 or None
        There, how many images have a larger output; -1 in an empty place.
    overlap
        As in `formats.topk`.
    """

    geometry: LayerGeometry
    units: int
    units_never_active: int
    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]
    passed_over: NDArray[np.int64]
    unit: NDArray[np.int64]
    count_active: NDArray[np.int64]
    count_at_maximum: NDArray[np.int64]
    input: NDArray[np.float32] | None = None
    output_rank: NDArray[np.int64] | None = None
    overlap: float | None = None

    @property
    def key(self) -> NDArray[np.float32]:
        """What the images are ranked by, (V, K)."""
        return self.value if self.input is None else self.input

    @property
    def ranked_by(self) -> str:
        """Whether that is the layer's "output" or its "input"."""
        return OUTPUT if self.input is None else INPUT


@dataclass(frozen=True)
class Patches:
    """Patches: of a unit, K of them; of a layer, V times K.

    Attributes
    ----------
    pixels : (…, S, S, 3) uint8
        Cut from the original pixels, 0 where the network saw nothing.
    mask : (…, S, S) uint8
        1 where it saw something.
    scale : (…) float32
        Pixels of the patch for one of the original.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    scale: NDArray[np.float32]

    def put(self, file: store.Writer, group: str) -> None:
        """Write those of V units (V, K, …), which may lie on disk: they are read a unit at a time."""
        file.put(f"{group}/scale", self.scale)
        for array, source in (("patch", self.pixels), ("mask", self.mask)):
            dataset = file.allocate(f"{group}/{array}", source.shape, np.uint8)
            for row in range(len(source)):
                dataset[row] = source[row]
            dataset.flush()

    @classmethod
    def of_unit(cls, file: store.Reader, group: str, row: int) -> Self:
        """Read the K patches of the unit in this row of a group."""
        here = slice(row, row + 1)
        return cls(*(file.get(f"{group}/{name}", here)[0] for name in ("patch", "mask", "scale")))


class PatchesWriter:
    """Patches that are being written: first the contexts, then each layer; made by `new_patches`."""

    def __init__(self, file: store.Writer, side: int) -> None:
        self._file, self._side = file, side

    def put_contexts(self, image_id: NDArray[np.int64], contexts: Iterable[Context | str]) -> None:
        """Write each image's context as it comes.

        Parameters
        ----------
        image_id
            (M,) each image of any patch once, ascending.
        contexts
            One for each; a text says why the image could not be read.
        """
        count = len(image_id)
        pixels = self._file.allocate("context/picture", (count, self._side, self._side, 3), np.uint8)
        geometry = {name: np.zeros((count, width), np.float32) for name, width in _GEOMETRY.items()}
        scale, skipped = np.zeros(count, np.float32), {}
        for row, context in enumerate(contexts):
            if isinstance(context, str):
                skipped[int(image_id[row])] = context
                continue
            pixels[row], scale[row] = context.pixels, context.scale
            for name, values in geometry.items():
                values[row] = getattr(context, name)
        pixels.flush()
        self._file.put("context/image_id", image_id)
        self._file.put("context/scale", scale)
        for name, values in geometry.items():
            self._file.put(f"context/{name}", values)
        self._file.put("skipped/image_id", np.array(list(skipped), np.int64))
        self._file.put_strings("skipped/reason", list(skipped.values()))

    def put_layer(self, name: str, layer: DrawnLayer, patches: Patches) -> None:
        """Write a layer; its patches (V, K, …), which may lie on disk, are read a unit at a time."""
        overlap = {} if layer.overlap is None else {"overlap": layer.overlap}
        names = ("units", "units_never_active", "ranked_by")
        about = {key: getattr(layer, key) for key in names}
        self._file.set_attributes(name, layer.geometry.attributes() | about | overlap)
        for array in _ARRAYS if layer.input is None else _ARRAYS + _BOUNDED:
            self._file.put(f"{name}/{array}", getattr(layer, array))
        patches.put(self._file, name)


@contextmanager
def new_patches(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[PatchesWriter]:
    """Write patches; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "h5py", "pillow")
    with store.write(path, stage="patches", version=VERSION, made_from=made_from, versions=versions) as file:
        file.set_attributes("", {name: getattr(about, name) for name in ("layers", "size", "picture")})
        file.set_attributes("", {name: getattr(about, name) for name in ("k", "images", "input_size")})
        yield PatchesWriter(file, about.picture)


class PatchesFile:
    """Open patches; made by `open_patches`.

    Attributes
    ----------
    about
        What was drawn.
    image_id
        (M,) int64, each image of any patch once, ascending.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), found["size"], found["picture"], found["k"], found["images"],
            pair(found["input_size"]),
        )  # fmt: skip
        self.image_id: NDArray[np.int64] = file.get("context/image_id")
        self._scale = file.get("context/scale")
        self._geometry = {name: file.get(f"context/{name}") for name in _GEOMETRY}

    def layer(self, name: str) -> DrawnLayer:
        """Read all of a layer but its patches."""
        found = self._file.attributes(name)
        names = _ARRAYS + _BOUNDED if found["ranked_by"] == INPUT else _ARRAYS
        arrays: dict[str, Any] = {array: self._file.get(f"{name}/{array}") for array in names}
        return DrawnLayer(
            read_geometry(found), found["units"], found["units_never_active"], **arrays,
            overlap=found.get("overlap"),
        )  # fmt: skip

    def patches(self, layer: str, row: int) -> Patches:
        """Read the K patches of the unit in this row of a layer's arrays."""
        return Patches.of_unit(self._file, layer, row)

    def context(self, image_id: int) -> Context | None:
        """Read an image's context; None where it could not be read, or for an empty place (-1)."""
        row = int(np.searchsorted(self.image_id, image_id))
        if image_id < 0 or not self._scale[row]:
            return None
        pixels = self._file.get("context/picture", slice(row, row + 1))[0]
        offset, view = (self._geometry[name][row] for name in _GEOMETRY)
        return Context(pixels, float(self._scale[row]), offset, view)

    def skipped(self) -> dict[int, str]:
        """Read which images could not be read any more, and why."""
        image_id = self._file.get("skipped/image_id").tolist()
        return dict(zip(image_id, self._file.strings("skipped/reason"), strict=True))


@contextmanager
def open_patches(path: Path) -> Iterator[PatchesFile]:
    """Open patches; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        yield PatchesFile(file)
