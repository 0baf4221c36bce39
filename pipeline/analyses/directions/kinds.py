"""What is kept of units and of directions that were ranked: boxes, near-duplicates, places, class purity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.directions.axes import Axes
from pipeline.analyses.directions.purity import class_purity
from pipeline.formats.directions import Kind
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.topk import RankedLayer
from pipeline.topk.ranked_images import RankedImages
from pipeline.topk.streaming import TopK

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledImages(RankedImages):
    """What the network was given of each image, and what that image shows.

    Attributes
    ----------
    label : (M,) int32
        Of all images of the manifest; -1 where there is none.
    """

    label: NDArray[np.int32]

    @property
    def classes(self) -> int:
        """How many classes the ranked images have; 0 where none is labelled."""
        label = self.label[self.image_id]
        return len(np.unique(label[label >= 0]))

    @property
    def is_comparable(self) -> bool:
        """Whether purity tells anything: there are two classes, and one of them has two images."""
        label = self.label[self.image_id]
        return self.classes > 1 and int(np.bincount(label[label >= 0]).max()) > 1

    def purity(self, image_id: Ids) -> NDArray[np.float64]:
        """Return the class purity of images (D, K), -1 for none; NaN where it tells nothing."""
        if not self.is_comparable:
            return np.full(len(image_id), np.nan)
        return class_purity(np.where(image_id >= 0, self.label[image_id], -1), self.classes)


def of_units(ranked: RankedLayer, seen: LabelledImages, places: NDArray[np.intp], shown: Ids) -> Kind:
    """Return the units of a layer; `places` (U, K) are the ranks that fill them, -1 in an empty one."""
    return Kind(
        tuple(f"unit {number}" for number in range(len(places))), ranked.key, ranked.image_id,
        ranked.position, ranked.box, ranked.duplicate, ranked.count_active,
        seen.purity(filled(ranked.image_id, places, -1)), shown, places[shown].astype(np.int64),
    )  # fmt: skip


def of_directions(
    axes: Axes, ranking: TopK, rows: slice, geometry: LayerGeometry, seen: LabelledImages, k: int, shown: Ids
) -> Kind:
    """Return directions of a layer's space, those in `rows` of a ranking; the first `k` fill their places.

    A maximum along a direction may be negative: it is the largest there is, so no image is left out for that.
    """
    image_id, position = ranking.image_id[rows], ranking.position[rows]
    again = seen.repeats(image_id)
    places = first_different(again, k)
    return Kind(
        axes.names, ranking.value[rows], image_id, position,
        seen.boxes(image_id, position, geometry.receptive_field), again,
        ranking.count_active[rows], seen.purity(filled(image_id, places, -1)), shown,
        places[shown].astype(np.int64), axes.direction, variance=axes.variance,
    )  # fmt: skip


def first_different(again: NDArray[np.bool_], k: int) -> NDArray[np.intp]:
    """Return the first k ranks (D, k) that repeat no earlier one, -1 in places that stay empty."""
    ranks = np.argsort(again, axis=1, kind="stable")[:, :k]
    places = np.full((len(again), k), -1, np.intp)
    places[:, : ranks.shape[1]] = np.where(np.take_along_axis(again, ranks, 1), -1, ranks)
    return places


def filled(values: NDArray[Any], places: NDArray[np.integer], empty: float) -> NDArray[Any]:
    """Take the ranks `places` (D, K) of values (D, R, …), and `empty` where there is none (-1)."""
    taken = values[np.arange(len(values))[:, None], places]
    taken[places < 0] = empty
    return taken
