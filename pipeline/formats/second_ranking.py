"""``activations/second_ranking.h5``: each unit's first ranks of a pass in half precision, ranked in float32.

In half precision many maxima are equal to the last bit, and the order of the best is a matter of chance. So
the images of the first ranks of every unit are forwarded again in float32 (`extraction.second_ranking`), all
that were are ranked, and the ranking is kept beside the shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store

VERSION = 2
FILE = "second_ranking.h5"
_ABOUT = ("images", "left", "precision", "batch_size", "arithmetic")


@dataclass(frozen=True)
class LayerRanking:
    """The second ranking of a layer's U units, C ranks each.

    Attributes
    ----------
    value : (U, C) float32
        Descending along each row, of equal ones the smaller image id first.
    image_id : (U, C) int64
    position : (U, C, 2) uint16
        y, x of the maximum in the layer's map.
    first_rank : (U, C) uint16
        Rank from 0 that the image had before; C where it was not among the first C.
    count_active : (U,) int64
        Images whose maximum is positive: in half precision, or, if that is more, among those in float32.
    count_at_maximum : (U,) int64
        Images that were forwarded again whose maximum is the unit's largest.
    input : (U, C) float32 or None
        What a bounded layer's images are ranked by; `value` is the output then.
    """

    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    first_rank: NDArray[np.uint16]
    count_active: NDArray[np.int64]
    count_at_maximum: NDArray[np.int64]
    input: NDArray[np.float32] | None = None

    def first(self, ranks: int) -> LayerRanking:
        """Return the first `ranks` columns."""
        names = ("value", "image_id", "position", "first_rank", "input")
        ranked = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(self, **{name: array[:, :ranks] for name, array in ranked.items()})

    def overlap(self, ranks: int) -> float:
        """Return the share of the first `ranks` that were among the first `ranks` before, 0 to 1.

        Units that no image activates are left out; NaN where that leaves none.
        """
        active = self.first_rank[self.count_active > 0, :ranks]
        return float(np.mean(active < ranks)) if active.size else float("nan")


@dataclass(frozen=True)
class SecondRanking:
    """The second ranking of a network.

    Attributes
    ----------
    layers
        Layer to its ranking, in the network's order.
    images
        How many images were forwarded again.
    left
        How many were not.
    sample : (S,) int64
        Ids of those that were only by lot, a candidate of no unit: how many of them are among a unit's first
        says how many of the images left would be.
    precision
        "float32".
    batch_size
        Images in a batch.
    arithmetic
        Instruction set or GPU that computed it.
    """

    layers: Mapping[str, LayerRanking]
    images: int
    left: int
    sample: NDArray[np.int64]
    precision: str
    batch_size: int
    arithmetic: str

    def lost(self, layer: str, ranks: int) -> float:
        """Estimate the share of a layer's units that lack one of their first `ranks` (`lost_share`)."""
        ranked = self.layers[layer]
        return lost_share(ranked.image_id[:, :ranks], ranked.value[:, :ranks] > 0, self.sample, self.left)


def lost_share(
    image_id: NDArray[np.int64], shown: NDArray[np.bool_], sample: NDArray[np.int64], left: int
) -> float:
    """Estimate the share of units that lack one of their best images.

    Parameters
    ----------
    image_id : (U, R) int64
        The best of those that were forwarded again.
    shown : (U, R) bool
        Which of these count.
    sample : (S,) int64
        Images that were forwarded by lot, of those that no unit had as a candidate.
    left
        Images that no unit had as a candidate and that were not drawn.

    Returns
    -------
    float
        0 to 1: for every image of the sample among the best, `left` / S others are taken to be missing, each
        of another unit; 0 where none is left.
    """
    if not left or not image_id.size or not len(sample):
        return 0.0
    found = np.count_nonzero(np.isin(image_id, sample) & shown)
    return min(1.0, found * left / len(sample) / len(image_id))


def write_second_ranking(
    folder: Path, ranking: SecondRanking, *, made_from: Mapping[str, str], versions: Sequence[str]
) -> None:
    """Write it into a folder of activations; `made_from` and `versions` as of `store.write`."""
    path = folder / FILE
    with store.write(path, stage="extract", version=VERSION, made_from=made_from, versions=versions) as file:
        file.set_attributes("", {name: getattr(ranking, name) for name in _ABOUT})
        file.set_attributes("", {"layers": list(ranking.layers)})
        file.put("sample", ranking.sample)
        for layer, ranked in ranking.layers.items():
            for name, values in vars(ranked).items():
                if values is not None:
                    file.put(f"{layer}/{name}", values)


def read_second_ranking(folder: Path) -> SecondRanking | None:
    """Read the second ranking of a folder of activations; None where it has none.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    with store.read(path, version=VERSION) as file:
        about = file.attributes()
        return SecondRanking(
            {layer: _read_layer(file, layer) for layer in about["layers"]},
            sample=file.get("sample"),
            **{name: about[name] for name in _ABOUT},
        )


def _read_layer(file: store.Reader, layer: str) -> LayerRanking:
    names = [name for name in LayerRanking.__dataclass_fields__ if f"{layer}/{name}" in file]
    return LayerRanking(**{name: file.get(f"{layer}/{name}") for name in names})
