"""The values of attributes, and those that follow from the boxes of objects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Where an attribute comes from: an image's pixels, its file, boxes around objects, the dataset's own columns.
Source = Literal["pixels", "file", "boxes", "dataset"]
# A box's side that is nearer to the image's than this, in pixels, touches it.
TOUCHES = 1.0


@dataclass(frozen=True)
class Column:
    """An attribute of N images.

    Attributes
    ----------
    name
        For people.
    source
        Where it comes from.
    values
        (N,) float64, NaN where missing; or with `words`, (N,) int places in them, -1 where missing.
    words
        None for numbers.
    """

    name: str
    source: Source
    values: NDArray[Any]
    words: tuple[str, ...] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) where there is a value."""
        found = np.isfinite(self.values) if self.words is None else self.values >= 0
        return np.asarray(found, np.bool_)

    def rows(self, rows: NDArray[Any]) -> Column:
        """Return some images' values."""
        return replace(self, values=self.values[rows])


def column_of(name: str, source: Source, values: NDArray[np.floating] | list[str]) -> Column:
    """Make a column of numbers or of texts, which are empty where missing."""
    if isinstance(values, np.ndarray):
        return Column(name, source, values.astype(np.float64))
    words, place = np.unique(np.array(values, np.str_), return_inverse=True)
    empty = int(len(words) > 0 and words[0] == "")
    return Column(name, source, place.astype(np.int64) - empty, tuple(words[empty:].tolist()))


def box_columns(
    image: NDArray[np.int64], box: NDArray[np.float32], width: NDArray[np.int32], height: NDArray[np.int32]
) -> list[Column]:
    """Return what boxes say of each image; of several boxes the largest counts, but for their number.

    Parameters
    ----------
    image
        (B,) row of each box's image.
    box
        (B, 4) x0, y0, x1, y1, pixels of the upright image.
    width, height
        (N,) of the images, pixels.

    Returns
    -------
    list of Column
        The box's share of the image's area; the distance of its middle from the image's, of half a diagonal;
        how many boxes there are; whether it touches the image's edge, which objects that are cut off do.
    """
    count = np.bincount(image, minlength=len(width))
    x0, y0, x1, y1 = box.astype(np.float64).T
    area = (x1 - x0) * (y1 - y0)
    # Of each image the largest, the first of equal ones.
    order = np.lexsort((np.arange(len(image)), -area, image))
    first = order[np.unique(image[order], return_index=True)[1]]
    rows = image[first]
    x0, y0, x1, y1, area = (values[first] for values in (x0, y0, x1, y1, area))
    across, down = width[rows].astype(np.float64), height[rows].astype(np.float64)
    away = np.hypot((x0 + x1 - across) / 2, (y0 + y1 - down) / 2) / (np.hypot(across, down) / 2)
    gap = np.minimum.reduce([x0, y0, across - x1, down - y1])

    def spread(values: NDArray[np.floating]) -> NDArray[np.float64]:
        found = np.full(len(width), np.nan)
        found[rows] = values
        return found

    touching = np.full(len(width), -1, np.int64)
    touching[rows] = gap < TOUCHES
    return [
        Column("object scale", "boxes", spread(area / (across * down))),
        Column("object off centre", "boxes", spread(away)),
        Column("number of objects", "boxes", np.where(count > 0, count, np.nan)),
        Column("object at the edge", "boxes", touching, ("no", "yes")),
    ]
