"""``activations/part-<key>.h5``: what the pass over the images keeps of a run of the manifest.

A shard knows no image id, so that it stays what it is when images are added elsewhere. The reduction names
its arrays as they are called here; readers ask a `Shard` for what they mean.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.store.activations import SHARD_VERSION as VERSION

CODES, LOGITS, INPUT_DIGEST = "codes", "logits", "input_digest"


class Skipped(NamedTuple):
    """An image that is missing: its place in the shard's run, a word or two, and what the reader said."""

    offset: int
    reason: str
    message: str


class Statistics(NamedTuple):
    """Of a layer's U units over the images of a shard.

    Attributes
    ----------
    zeros : (U,) int64
        Outputs that are zero, over images and positions.
    outputs : int
        Images times positions.
    largest_before : (U,) float32 or None
        Largest pre-activation, where the layer is an activation function.
    """

    zeros: NDArray[np.int64]
    outputs: int
    largest_before: NDArray[np.float32] | None


class Contents(NamedTuple):
    """Which images of its run a shard has: (n,) int64 places in it, and those that are missing."""

    offset: NDArray[np.int64]
    skipped: list[Skipped]


def value(layer: str) -> str:
    """Return the name of a layer's maxima, (n, U) float32."""
    return f"maxima/{layer}/value"


def position(layer: str) -> str:
    """Return the name of the maxima's positions, (n, U, 2) uint16, y and x in the map."""
    return f"maxima/{layer}/position"


def input_value(layer: str) -> str:
    """Return the name of the maxima of what enters a bounded layer, (n, U) float32."""
    return f"maxima/{layer}/input_value"


def input_position(layer: str) -> str:
    """Return the name of the positions of these, (n, U, 2) uint16."""
    return f"maxima/{layer}/input_position"


def mean(layer: str) -> str:
    """Return the name of each unit's mean over positions, (n, U) float32."""
    return f"mean/{layer}"


def zeros(layer: str) -> str:
    """Return the name of the count of outputs that are zero, (U,) int64."""
    return f"stats/{layer}/zeros"


def outputs(layer: str) -> str:
    """Return the name of the count of a unit's outputs, () int64."""
    return f"stats/{layer}/outputs"


def largest_before(layer: str) -> str:
    """Return the name of each unit's largest pre-activation, (U,) float32."""
    return f"stats/{layer}/largest_before"


def write_shard(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    contents: Contents,
    *,
    code_layer: str,
    made_from: Mapping[str, str],
    versions: Sequence[str] = (),
) -> None:
    """Write a shard.

    Parameters
    ----------
    path
        Where the file goes.
    arrays
        By the names that stand here: with n rows, but for the counts, which are over the shard.
    contents
        Which images the rows are of.
    code_layer
        The layer whose output is the code.
    made_from, versions
        As of `pipeline.store.write`.
    """
    with store.write(path, stage="extract", version=VERSION, made_from=made_from, versions=versions) as file:
        # A dense layer's code is its maxima, and deflating takes long: one array, two names.
        maxima = value(code_layer)
        twice = maxima in arrays and np.array_equal(arrays[maxima], arrays[CODES])
        for name, values in sorted(arrays.items()):
            if not (twice and name == CODES):
                file.put(name, values)
        if twice:
            file.link(CODES, maxima)
        file.put("offset", contents.offset)
        file.put("skipped/offset", np.array([item.offset for item in contents.skipped], np.int64))
        file.put_strings("skipped/reason", [item.reason for item in contents.skipped])
        file.put_strings("skipped/message", [item.message for item in contents.skipped])


def read_contents(path: Path) -> Contents:
    """Read which images of its run a shard has."""
    with store.read(path, version=VERSION) as file:
        columns = (file.strings(f"skipped/{name}") for name in ("reason", "message"))
        places = file.get("skipped/offset").tolist()
        return Contents(file.get("offset"), [Skipped(*item) for item in zip(places, *columns, strict=True)])


class Shard(store.Shard):
    """A shard among activations: a file, and the ids of its n images; arrays are read when asked for."""

    def codes(self) -> NDArray[np.float32]:
        """Read the codes, (n, D)."""
        return self.read(CODES)

    def code_width(self) -> int:
        """Return D, the length of a code, without reading one."""
        with store.read(self.path, version=VERSION) as file:
            return file.shape(CODES)[1]

    def logits(self) -> NDArray[np.float32]:
        """Read the logits, (n, K)."""
        return self.read(LOGITS)

    def input_digests(self) -> NDArray[np.uint8]:
        """Read the digest of what the network was given of each image, (n, 16): equal where that is."""
        return self.read(INPUT_DIGEST)

    def maxima(self, layer: str) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
        """Read a layer's maxima (n, U) and their positions (n, U, 2), y and x in the map."""
        with store.read(self.path, version=VERSION) as file:
            return file.get(value(layer)), file.get(position(layer))

    def input_maxima(self, layer: str) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
        """Read the maxima of what enters a bounded layer, and their positions, as of `maxima`."""
        with store.read(self.path, version=VERSION) as file:
            return file.get(input_value(layer)), file.get(input_position(layer))

    def means(self, layer: str) -> NDArray[np.float32]:
        """Read each unit's mean over positions, (n, U); `UserError` where they were not kept."""
        return self.read(mean(layer))

    def statistics(self, layer: str) -> Statistics:
        """Read a layer's statistics; `UserError` where they were not kept."""
        with store.read(self.path, version=VERSION) as file:
            name = largest_before(layer)
            before = file.get(name) if name in file else None
            return Statistics(file.get(zeros(layer)), int(file.get(outputs(layer))), before)
