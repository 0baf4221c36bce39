"""``predictions.h5``: what the network predicts for every image, and how often it is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.errors import UserError

VERSION = 3
# What is known of the images that the accuracy is of: the training here did not see them; the weights come
# from elsewhere, and the dataset or the user says that they were held out; nothing; the training saw them.
Basis = Literal["held out", "declared", "unknown", "trained on"]
_PAIRS = ("label", "predicted", "images")
_ROWS = (
    "image_id", "predicted", "probability", "label", "label_rank", "log_loss", "leading",
    "leading_probability",
)  # fmt: skip
_BINS = ("confidence", "accuracy", "count", "low", "high")
_COUNTS = ("images", "labelled", "right", "right_top5")


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy, in B bins of the confidence.

    Attributes
    ----------
    confidence, accuracy : (B,) float64
        Mean probability of the predicted output, and share right; NaN in an empty bin.
    count : (B,) int64
        Images in the bin.
    low, high : (B,) float64
        Its ends, 0 to 1.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Confusion:
    """Labels against predictions: the P pairs that occur, by label and then by prediction.

    Attributes
    ----------
    label, predicted : (P,) int32
        Outputs: the one that stands for the images' class, and the one that was predicted.
    images : (P,) int64
        How many there are, 1 or more.
    """

    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    images: NDArray[np.int64]


@dataclass(frozen=True)
class SplitCounts:
    """Images of each of P splits.

    Attributes
    ----------
    name
        Of the splits, sorted.
    images, labelled, right, right_top5 : (P,) int64
        In the split; with a label; of these right; of these with the label among the first five.
    """

    name: tuple[str, ...]
    images: NDArray[np.int64]
    labelled: NDArray[np.int64]
    right: NDArray[np.int64]
    right_top5: NDArray[np.int64]


@dataclass(frozen=True)
class Evaluated:
    """Predictions for N images by a network of K outputs, beside the labels of a dataset of C classes.

    Attributes
    ----------
    image_id : (N,) int64
        Rows of the manifest.
    predicted : (N,) int32
        The output with the largest logit.
    probability : (N,) float32
        Its softmax probability.
    label : (N,) int32
        The output that stands for the image's class; -1 where there is none.
    label_rank : (N,) int32
        Outputs with a larger logit than the label's: 0 is right; -1 without label.
    log_loss : (N,) float32
        -log of the label's probability, nats; NaN without label.
    leading, leading_probability : (N, F) int32 and float32
        The outputs with the F largest logits, the largest first, and their softmax probabilities; F is 5, or
        K where that is less.
    confusion
        Over the images that the headline accuracy is of.
    calibration
        Over the same.
    splits
        Counts of each split; one called "all" where splits were drawn here and mean nothing.
    class_output : (C,) int32
        The output of each class of the manifest; -1 where there is none.
    output_name
        (K,) names of the outputs.
    held_out
        The split that the headline accuracy is of; empty: all images.
    basis
        What is known of these.
    """

    image_id: NDArray[np.int64]
    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    label: NDArray[np.int32]
    label_rank: NDArray[np.int32]
    log_loss: NDArray[np.float32]
    leading: NDArray[np.int32]
    leading_probability: NDArray[np.float32]
    confusion: Confusion
    calibration: Calibration
    splits: SplitCounts
    class_output: NDArray[np.int32]
    output_name: tuple[str, ...]
    held_out: str
    basis: Basis


def write_predictions(path: Path, evaluated: Evaluated, *, made_from: Mapping[str, str]) -> None:
    """Write predictions; `made_from` as of `pipeline.store.write`."""
    with store.write(
        path, stage="predictions", version=VERSION, made_from=made_from, versions=("numpy",)
    ) as file:
        for name in _ROWS:
            file.put(name, getattr(evaluated, name))
        for name in _PAIRS:
            file.put(f"confusion/{name}", getattr(evaluated.confusion, name))
        for name in _BINS:
            file.put(f"reliability/{name}", getattr(evaluated.calibration, name))
        for name in _COUNTS:
            file.put(f"split/{name}", getattr(evaluated.splits, name))
        file.put_strings("split/name", evaluated.splits.name)
        file.put("class_output", evaluated.class_output)
        file.put_strings("output_name", evaluated.output_name)
        file.set_attributes("", {"held_out": evaluated.held_out, "basis": evaluated.basis})


def read_predictions(path: Path) -> Evaluated:
    """Read predictions; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        rows = {name: file.get(name) for name in (*_ROWS, "class_output")}
        counts = (file.get(f"split/{name}") for name in _COUNTS)
        return Evaluated(
            **rows,
            confusion=Confusion(*(file.get(f"confusion/{name}") for name in _PAIRS)),
            calibration=Calibration(*(file.get(f"reliability/{name}") for name in _BINS)),
            splits=SplitCounts(tuple(file.strings("split/name")), *counts),
            output_name=tuple(file.strings("output_name")),
            held_out=file.attributes()["held_out"],
            basis=_basis(file),
        )


def _basis(file: store.Reader) -> Basis:
    found: Basis = file.attributes()["basis"]
    if found not in get_args(Basis):
        raise UserError(f"{file.path}: basis '{found}' is not known; run its stage again")
    return found
