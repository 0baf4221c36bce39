"""What is said of a unit and its strongest images, drawn or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import UnitTable
from pipeline.contents.values import Cell, Column
from pipeline.formats.patches import DrawnLayer
from pipeline.formats.topk import RankedLayer
from pipeline.numerics.intervals import wilson

UNIT_FACTS = (
    Column(name="highest", form="number"),
    Column(name="active", form="proportion"),
    Column(name="active_interval", form="interval"),
    Column(name="lowest", form="number"),
    Column(name="passed_over", form="count"),
    Column(name="at_maximum", form="count"),
)
_IMAGE = (
    Column(name="image", form="image"),
    Column(name="label", form="class"),
    Column(name="position", form="position"),
    Column(name="box", form="box"),
)
_VALUE = Column(name="value", form="number")
WINNERS = UnitTable(caption="winners", columns=(_VALUE, *_IMAGE))
WINNERS_BY_INPUT = UnitTable(
    caption="winners-by-input",
    columns=(
        Column(name="input", form="number"),
        _VALUE,
        Column(name="output_rank", form="count"),
        *_IMAGE,
    ),
)


@dataclass(frozen=True)
class Names:
    """Path and label of the images that are shown.

    Attributes
    ----------
    path
        Image id to path in the dataset.
    label
        Image id to class name; None for an image without a label.
    """

    path: dict[int, str]
    label: dict[int, str | None]


@dataclass(frozen=True)
class Winners:
    """The strongest images of a unit, rank 0 first.

    Attributes
    ----------
    value : (n,) float32
        The outputs, all positive.
    image_id : (n,) int64
    position : (n, 2)
        y, x in the map.
    box : (n, 4)
        In pixels of the original image.
    input : (n,) float32 or None
        What they are ranked by where that is not the output.
    output_rank : (n,) int64 or None
        There, how many images have a larger output.
    """

    value: NDArray[np.float32]
    image_id: NDArray[np.int64]
    position: NDArray[np.uint16]
    box: NDArray[np.float32]
    input: NDArray[np.float32] | None
    output_rank: NDArray[np.int64] | None

    def facts(self, active: int, images: int, at_maximum: int, passed_over: int | None) -> tuple[Cell, ...]:
        """Return the unit's facts, as of `UNIT_FACTS`: counts of images are those of the ranking."""
        some = len(self.value) > 0
        shared = at_maximum if some and at_maximum > 1 else None
        ends = (self.value[0], self.value[-1]) if some else (None, None)
        interval = tuple(round(float(end), 6) for end in wilson(active, images))
        return (ends[0], (active, images), interval, ends[1], passed_over, shared)

    def rows(self, names: Names) -> tuple[tuple[Cell, ...], ...]:
        """Return the lines of the unit's table; ranks are counted from 1."""
        ids = self.image_id.tolist()
        paths, labels = [names.path[one] for one in ids], [names.label[one] for one in ids]
        first: Sequence[Sequence[Cell]] = (self.value.tolist(),)
        if self.input is not None and self.output_rank is not None:
            first = (self.input.tolist(), self.value.tolist(), (self.output_rank + 1).tolist())
        places = [map(tuple, array.tolist()) for array in (self.position, self.box)]
        return tuple(zip(*first, paths, labels, *places, strict=True))

    def notices(self, at_maximum: int) -> Iterator[blocks.Notice]:
        """Say that more images have the largest output than there are places, and which are shown."""
        if self.input is None and at_maximum > len(self.value) > 0 and self.value[0] == self.value[-1]:
            yield blocks.Notice(
                caption="ties", numbers={"at_maximum": at_maximum, "value": float(self.value[0])}
            )


def winners_of(ranked: RankedLayer | DrawnLayer, row: int, ranks: slice) -> Winners:
    """Return some ranks of the unit in this row of a layer's arrays."""
    return Winners(
        ranked.value[row, ranks],
        ranked.image_id[row, ranks],
        ranked.position[row, ranks],
        ranked.box[row, ranks],
        None if ranked.input is None else ranked.input[row, ranks],
        None if ranked.output_rank is None else ranked.output_rank[row, ranks],
    )


def unit_table(*, ranked_by_input: bool) -> UnitTable:
    """Return the columns of the tables of a layer's units."""
    return WINNERS_BY_INPUT if ranked_by_input else WINNERS


def count_tied(drawn: DrawnLayer) -> int:
    """Count the units of which more images have the largest output than are shown."""
    if drawn.input is not None:
        return 0
    value, places = drawn.value, drawn.value.shape[1]
    alike = np.isfinite(value[:, -1]) & (value[:, 0] == value[:, -1])
    return int(np.count_nonzero(alike & (drawn.count_at_maximum > places)))
