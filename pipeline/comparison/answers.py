"""What two networks said of the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.comparison.pairing import Pairs
from pipeline.comparison.runs import Run
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions

FIVE = 5


@dataclass(frozen=True)
class Said:
    """What one network said of Q images.

    Attributes
    ----------
    predicted : (Q,) text
        Name of the output with the largest logit.
    probability : (Q,) float32
        Its.
    label_rank : (Q,) int32
        Outputs with a larger logit than the label's; -1 without label.
    log_loss : (Q,) float32
        Nats; NaN without label.
    """

    predicted: NDArray[np.str_]
    probability: NDArray[np.float32]
    label_rank: NDArray[np.int32]
    log_loss: NDArray[np.float32]

    def some(self, chosen: NDArray[np.bool_]) -> "Said":
        """Return what was said of some of the images."""
        return Said(*(values[chosen] for values in vars(self).values()))

    def equals(self, other: "Said") -> bool:
        """Tell whether the other network said the same of every image, to the last bit."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return all(np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f") for ours, theirs in pairs)


@dataclass(frozen=True)
class Answers:
    """Of Q images that both were given.

    Attributes
    ----------
    pair : (Q,) int64
        Places among the pairs of images.
    label : (Q,) text
        The output that stands for the image's class; empty where there is none, or another one in either run.
    counted : (Q,) bool
        Whether the accuracy of both is of this image.
    first, second
        What either said.
    split
        That the accuracy of both is of; empty: all images, or another one in either.
    outputs
        The smaller number of outputs.
    """

    pair: NDArray[np.int64]
    label: NDArray[np.str_]
    counted: NDArray[np.bool_]
    first: Said
    second: Said
    split: str
    outputs: int

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(Q,) whether the networks predict different classes."""
        return self.first.predicted != self.second.predicted


def read_answers(first: Run, second: Run, pairs: Pairs) -> Answers:
    """Read what two runs say of the images that they have in common; `UserError` as of `store.read`."""
    ours, theirs = (read_predictions(run.path("artifacts/predictions.h5")) for run in (first, second))
    pair, our_rows, their_rows = pairs.among(ours.image_id, theirs.image_id)
    our_label, our_counted = _labels(first, ours, our_rows)
    their_label, their_counted = _labels(second, theirs, their_rows)
    known = (our_label == their_label) & (our_label != "")
    return Answers(
        pair, np.where(known, our_label, ""), known & our_counted & their_counted,
        _said(ours, our_rows), _said(theirs, their_rows),
        ours.held_out if ours.held_out == theirs.held_out else "",
        min(len(ours.output_name), len(theirs.output_name)),
    )  # fmt: skip


def _labels(
    run: Run, found: Evaluated, rows: NDArray[np.int64]
) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """Return the outputs that stand for images' classes, and whether the run's accuracy is of the images."""
    label, image_id = found.label[rows], found.image_id[rows]
    # -1 would be the last name.
    names = np.where(label >= 0, _names(found)[label], "")
    if not found.held_out:
        return names, np.ones(len(rows), np.bool_)
    with open_manifest(run.path("artifacts/manifest.h5")) as manifest:
        return names, np.array(manifest.split(), np.str_)[image_id] == found.held_out


def _names(found: Evaluated) -> NDArray[np.str_]:
    return np.array(found.output_name, np.str_)


def _said(found: Evaluated, rows: NDArray[np.int64]) -> Said:
    return Said(
        _names(found)[found.predicted[rows]], found.probability[rows], found.label_rank[rows],
        found.log_loss[rows],
    )  # fmt: skip
