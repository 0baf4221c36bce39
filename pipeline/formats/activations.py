"""``activations/index.h5``: names the shards in the order of the manifest and gives their rows image ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import LayerGeometry, read_geometry
from pipeline.formats.shards import VERSION as SHARD_VERSION
from pipeline.formats.shards import Shard, mean, zeros
from pipeline.store.activations import INDEX as FILE
from pipeline.store.activations import INDEX_VERSION as VERSION

__all__ = [
    "FILE", "INPUT", "OUTPUT", "VERSION", "Activations", "Index", "KeptLayer", "Skipped",
    "open_activations", "shard_files", "write_index",
]  # fmt: skip

# What a layer's images are ranked by.
OUTPUT, INPUT = "output", "input"


class Skipped(NamedTuple):
    """An image that is missing: its row of the manifest, a word or two, and what the reader said."""

    image_id: int
    reason: str
    message: str


@dataclass(frozen=True)
class KeptLayer:
    """A layer whose maxima are kept.

    Attributes
    ----------
    name
        Its node's name.
    kind
        "map" or "dense".
    units
        Number of units.
    geometry
        Its map and receptive field.
    ranked_by
        "output"; "input" where the layer is bounded above and the maxima of what enters it are kept as well.
    """

    name: str
    kind: str
    units: int
    geometry: LayerGeometry
    ranked_by: str = OUTPUT


@dataclass(frozen=True)
class Index:
    """What made the shards.

    Attributes
    ----------
    layers
        In the network's order.
    code_layer
        The layer whose output is the code.
    images
        Rows of the manifest.
    precision
        What the network computed in: float32, bfloat16, float16.
    batch_size
        Images in a batch.
    arithmetic
        Instruction set or GPU that computed it.
    """

    layers: tuple[KeptLayer, ...]
    code_layer: str
    images: int
    precision: str
    batch_size: int
    arithmetic: str


def write_index(
    folder: Path,
    index: Index,
    shards: Sequence[tuple[str, NDArray[np.int64]]],
    skipped: Sequence[Skipped],
    *,
    made_from: Mapping[str, str],
    versions: Sequence[str] = (),
) -> None:
    """Write the index into a folder of shards.

    Parameters
    ----------
    folder
        Of the activations.
    index
        What made them.
    shards
        Each shard's file name and the rows of the manifest that its rows belong to, in the manifest's order.
    skipped
        The images that are missing.
    made_from, versions
        As of `pipeline.store.write`.
    """
    path = folder / FILE
    with store.write(path, stage="extract", version=VERSION, made_from=made_from, versions=versions) as file:
        file.put("image_id", np.concatenate([image_id for _, image_id in shards]))
        file.put_strings("shard/file", [name for name, _ in shards])
        file.put("shard/rows", np.array([len(image_id) for _, image_id in shards], np.int64))
        file.put("skipped/image_id", np.array([item.image_id for item in skipped], np.int64))
        file.put_strings("skipped/reason", [item.reason for item in skipped])
        file.put_strings("skipped/message", [item.message for item in skipped])
        file.set_attributes("", vars(index) | {"layers": [layer.name for layer in index.layers]})
        for layer in index.layers:
            about = {name: getattr(layer, name) for name in ("kind", "units", "ranked_by")}
            file.set_attributes(f"maxima/{layer.name}", about | layer.geometry.attributes())


class Activations(store.Activations):
    """The activations of all images, shard by shard; made by `open_activations`."""

    @property
    def precision(self) -> str:
        """What the network computed in: float32, bfloat16, float16."""
        return str(self.attributes()["precision"])

    @property
    def code_layer(self) -> str:
        """The layer whose output is the code; it need not be among the layers."""
        return str(self.attributes()["code_layer"])

    @property
    def batch_size(self) -> int:
        """Images in a batch."""
        return int(self.attributes()["batch_size"])

    def layer(self, name: str) -> KeptLayer:
        """Return what is known of a layer; `UserError` if it is not there."""
        about = self.attributes(name)
        return KeptLayer(name, about["kind"], int(about["units"]), read_geometry(about), about["ranked_by"])

    def shards(self, run: slice = slice(None)) -> Iterator[Shard]:
        """Yield the shards that have images, all or of a run of places, in the order of their images."""
        for shard in super().shards(run):
            yield Shard(shard.path, shard.image_id)

    @property
    def has_statistics(self) -> bool:
        """Whether each unit's zeros and largest pre-activation were kept (extract.statistics)."""
        return self._has(zeros(self.layers[0]))

    @property
    def has_means(self) -> bool:
        """Whether each unit's mean on every image was kept (extract.means)."""
        return self._has(mean(self.layers[0]))

    def _has(self, name: str) -> bool:
        """Tell whether shards have an array: all of them, or none."""
        with store.read(next(self.shards()).path, version=SHARD_VERSION) as file:
            return name in file

    def input_digests(self) -> NDArray[np.uint8]:
        """Read the digest of what the network was given of each image, (N, 16)."""
        return np.concatenate([shard.input_digests() for shard in self.shards()])

    def skipped(self) -> list[Skipped]:
        """Read which images of the manifest are missing."""
        with store.read(self.folder / FILE, version=VERSION) as file:
            columns = (file.strings(f"skipped/{name}") for name in ("reason", "message"))
            image_id = file.get("skipped/image_id").tolist()
            return [Skipped(*item) for item in zip(image_id, *columns, strict=True)]


def shard_files(folder: Path) -> list[Path]:
    """Return the shards that an index of any version names, in order: what runs are compared by.

    Raises
    ------
    UserError
        It is missing or damaged.
    """
    with store.read(folder / FILE, version=None) as file:
        return [folder / name for name in file.strings("shard/file")]


def open_activations(folder: Path) -> Activations:
    """Open the folder of activations.

    Raises
    ------
    UserError
        It is missing or damaged.
    """
    return Activations(folder)
