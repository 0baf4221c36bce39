"""The group ``choices`` of ``humans.h5``: how well people tell what excites a unit from its best images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import DONE, Status

GROUP = "choices"
SCORED = ("share", "low", "high", "effective")
CHOSEN = ("layer", "annotator", "unit", "image_id", "value", "more")
LEFT_OUT = ("other_network", "unknown", "ties")


@dataclass(frozen=True)
class Scores:
    """How often people are right, of L layers.

    Attributes
    ----------
    share, low, high : (L,) float64
        Answers that are right, one that is unsure counted half, and the 95 % interval of that over units.
    effective : (L,) float64
        As how many answers on units of their own these count.
    """

    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    effective: NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """Q answers to which of two images excites a unit more, by layer, unit and annotator.

    Attributes
    ----------
    layers
        (L,) those that answers are of, in the network's order.
    scores, whole
        Of each layer, and, one row of the same, of all answers together.
    annotators
        Names, sorted.
    layer, annotator : (Q,) int32
        Places among `layers` and `annotators`.
    unit : (Q,) int64
    image_id : (Q, 2) int64
        The left and the right one.
    value : (Q, 2) float32
        What the unit's images are ranked by, of these.
    more : (Q,) int8
        The image that the person chose: 0, 1, or -1 where unsure.
    other_network, unknown, ties
        Answers that are left out: on units of another network, on units or images that the run does not
        have, and on images that excite the unit equally.
    """

    layers: tuple[str, ...]
    scores: Scores
    whole: Scores
    annotators: tuple[str, ...]
    layer: NDArray[np.int32]
    annotator: NDArray[np.int32]
    unit: NDArray[np.int64]
    image_id: NDArray[np.int64]
    value: NDArray[np.float32]
    more: NDArray[np.int8]
    other_network: int
    unknown: int
    ties: int

    @property
    def right(self) -> NDArray[np.float64]:
        """(Q,) as of `rightness`."""
        return rightness(self.more, self.value)

    def counts(self, layer: int | None = None) -> dict[str, int]:
        """Return how many answers, annotators and units there are, of one layer or of all."""
        rows = np.flatnonzero(self.layer == layer) if layer is not None else np.arange(len(self.layer))
        units = np.stack([self.layer[rows], self.unit[rows]], axis=1)
        return {
            "answers": len(rows), "annotators": len(np.unique(self.annotator[rows])),
            "units": len(np.unique(units, axis=0)), "unsure": int((self.more[rows] < 0).sum()),
        }  # fmt: skip


def rightness(more: NDArray[np.int8], value: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return 1 where the chosen image excites the unit more, 0 where the other one does, a half if unsure.

    Parameters
    ----------
    more
        (Q,) as in `Choices`.
    value
        (Q, 2) as there; the two differ.
    """
    return np.where(more < 0, 0.5, more == value.argmax(axis=1))


def put_choices(file: store.Writer, found: Choices | Status) -> None:
    """Write them, or why there are none, into a file that is being written."""
    status = found if isinstance(found, Status) else DONE
    file.set_attributes(GROUP, {"status": status.state, "status_reason": status.reason})
    if isinstance(found, Status):
        return
    file.set_attributes(GROUP, {name: getattr(found, name) for name in LEFT_OUT})
    file.put_strings(f"{GROUP}/layers", found.layers)
    file.put_strings(f"{GROUP}/annotators", found.annotators)
    for name in CHOSEN:
        file.put(f"{GROUP}/{name}", getattr(found, name))
    for group in ("scores", "whole"):
        one = getattr(found, group)
        for name in SCORED:
            file.put(f"{GROUP}/{group}/{name}", getattr(one, name))


def get_choices(file: store.Reader) -> Choices | Status:
    """Read them, or why there are none, from an open file."""
    about = file.attributes(GROUP)
    if about["status_reason"]:
        return Status(about["status"], about["status_reason"])
    scores, whole = (
        Scores(*(file.get(f"{GROUP}/{group}/{name}") for name in SCORED)) for group in ("scores", "whole")
    )
    arrays: list[Any] = [file.get(f"{GROUP}/{name}") for name in CHOSEN]
    layers, annotators = (tuple(file.strings(f"{GROUP}/{name}")) for name in ("layers", "annotators"))
    left_out: list[Any] = [int(about[name]) for name in LEFT_OUT]
    return Choices(layers, scores, whole, annotators, *arrays, *left_out)
