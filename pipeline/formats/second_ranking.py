"""``activations/second_ranking.h5``: each unit's first ranks of a pass in half precision, ranked in float32.

In half precision many maxima are equal to the last bit, and the order of the best is a matter of chance. So
the first ranks of every unit are forwarded again in float32 (`extraction.second_ranking`) and kept beside the
shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store

VERSION = 1
FILE = "second_ranking.h5"


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
        Rank from 0 that the image had before.
    count_active : (U,) int64
        Images whose maximum is positive, in the precision of the whole pass.
    """

    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    first_rank: NDArray[np.uint16]
    count_active: NDArray[np.int64]

    def first(self, ranks: int) -> LayerRanking:
        """Return the first `ranks` columns."""
        return LayerRanking(
            self.value[:, :ranks], self.image_id[:, :ranks], self.position[:, :ranks],
            self.first_rank[:, :ranks], self.count_active,
        )  # fmt: skip

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
    precision
        "float32".
    batch_size
        Images in a batch.
    arithmetic
        Instruction set or GPU that computed it.
    """

    layers: Mapping[str, LayerRanking]
    images: int
    precision: str
    batch_size: int
    arithmetic: str


def write_second_ranking(
    folder: Path, ranking: SecondRanking, *, made_from: Mapping[str, str], versions: Sequence[str]
) -> None:
    """Write it into a folder of activations; `made_from` and `versions` as of `store.write`."""
    path = folder / FILE
    with store.write(path, stage="extract", version=VERSION, made_from=made_from, versions=versions) as file:
        file.set_attributes("", vars(ranking) | {"layers": list(ranking.layers)})
        for layer, ranked in ranking.layers.items():
            for name, values in vars(ranked).items():
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
        names = tuple(LayerRanking.__dataclass_fields__)
        return SecondRanking(
            {
                layer: LayerRanking(*(file.get(f"{layer}/{name}") for name in names))
                for layer in about["layers"]
            },
            **{name: about[name] for name in ("images", "precision", "batch_size", "arithmetic")},
        )
