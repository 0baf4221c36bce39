"""The candidates of each unit, ranked by maxima that were computed again in float32.

In half precision many maxima are equal to the last bit, and the order of the best is a matter of chance. So
the first ranks of every unit are forwarded again in float32 (`extraction.second_ranking`) and kept in
``again.h5`` beside the shards; this module orders, writes and reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store

FILE = "again.h5"


@dataclass(frozen=True)
class Ranked:
    """The ranking of a layer's units.

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

    def first(self, ranks: int) -> Ranked:
        """Return the first `ranks` columns."""
        return Ranked(
            self.value[:, :ranks], self.image_id[:, :ranks], self.position[:, :ranks],
            self.first_rank[:, :ranks], self.count_active,
        )  # fmt: skip

    def overlap(self, ranks: int) -> float:
        """Return the share of the first `ranks` that were among the first `ranks` before, 0 to 1.

        Units that no image activates are left out; NaN where that leaves none.
        """
        active = self.first_rank[self.count_active > 0, :ranks]
        return float(np.mean(active < ranks)) if active.size else float("nan")


def rank_again(
    value: NDArray[np.float32],
    image_id: NDArray[np.int64],
    position: NDArray[np.uint16],
    count_active: NDArray[np.int64],
) -> Ranked:
    """Order candidates by their new values.

    Parameters
    ----------
    value, image_id, position
        (U, C), (U, C) and (U, C, 2), in the order of the first ranking.
    count_active
        (U,), kept as it is.
    """
    order = np.lexsort((image_id, -value), axis=-1)
    return Ranked(
        np.take_along_axis(value, order, 1),
        np.take_along_axis(image_id, order, 1),
        np.take_along_axis(position, order[..., None], 1),
        order.astype(np.uint16),
        count_active,
    )


def write_candidates(
    path: Path,
    layers: Mapping[str, Ranked],
    *,
    made_from: Mapping[str, str],
    versions: Sequence[str],
    about: Mapping[str, Any],
) -> None:
    """Write ``again.h5``; `about` are further attributes of the file."""
    with store.write(path, stage="extract", made_from=made_from, versions=versions) as file:
        file.set_attributes("", {"layers": list(layers), **about})
        for layer, ranked in layers.items():
            for name, values in vars(ranked).items():
                file.put(f"{layer}/{name}", values)


def read_candidates(folder: Path) -> dict[str, Ranked] | None:
    """Return each layer's candidates from a folder of activations; None where it has no second ranking.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    names = tuple(Ranked.__dataclass_fields__)
    with store.read(path) as file:
        return {
            str(layer): Ranked(*(file.get(f"{layer}/{name}") for name in names))
            for layer in file.attributes()["layers"]
        }
