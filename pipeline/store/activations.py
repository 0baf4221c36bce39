"""Many files read as one: the folder of activations, shard by shard.

Here stands what every reader needs: which images and which files. What the arrays are called and mean stands
in `pipeline.formats`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.store.reading import Origin, read

INDEX = "index.h5"
# The versions of the formats of the index and of a shard.
INDEX_VERSION = 2
SHARD_VERSION = 2


class Shard:
    """Some rows of a sharded artifact: one file, and the numbers of its images."""

    def __init__(self, path: Path, image_id: np.ndarray) -> None:
        self.path, self.image_id = path, image_id

    def read(self, name: str) -> np.ndarray:
        """Read one array of the shard, rows in the order of `image_id`."""
        with read(self.path, version=SHARD_VERSION) as file:
            return file.get(name)


class Activations:
    """The shards that an index names, read as one; made by `open_activations`.

    Attributes
    ----------
    layers
        Layer names in the network's order.
    image_id
        (N,) int64, ascending: the rows of the manifest that the rows here belong to.
    count
        Number of shards.
    origin
        What made the index, and from what.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with read(folder / INDEX, version=INDEX_VERSION) as index:
            self.origin: Origin = index.origin()
            self._attributes = {"": index.attributes()}
            self.layers: list[str] = [str(name) for name in self._attributes[""]["layers"]]
            self._attributes.update({layer: index.attributes(f"maxima/{layer}") for layer in self.layers})
            self.image_id = index.get("image_id")
            self._files = index.strings("shard/file")
            self._rows = index.get("shard/rows")
        self.count = len(self._files)

    def attributes(self, layer: str = "") -> dict[str, Any]:
        """Return a layer's attributes, or with "" those of the whole; `UserError` if it is not there."""
        if layer not in self._attributes:
            raise UserError(f"{self.folder}: no layer '{layer}'; it has {', '.join(self.layers)}")
        return self._attributes[layer]

    def shards(self, run: slice = slice(None)) -> Iterator[Shard]:
        """Yield the shards that have images, all or of a run of places, in the order of their images."""
        ends = np.cumsum(self._rows)
        for name, rows, end in list(zip(self._files, self._rows, ends, strict=True))[run]:
            if rows:
                yield Shard(self.folder / name, self.image_id[end - rows : end])

    def read(self, name: str) -> np.ndarray:
        """Read an array of all shards at once, (N, …): for small data and for tests."""
        return np.concatenate([shard.read(name) for shard in self.shards()])


def open_activations(folder: Path | str) -> Activations:
    """Open the folder of activations; its shards are read one by one, as they are asked for.

    Parameters
    ----------
    folder
        ``artifacts/activations``: ``index.h5`` and the shards that it names; `UserError` if that is damaged.
    """
    return Activations(Path(folder))
