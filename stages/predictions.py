"""Compare what the network predicts with the labels: accuracy, confusion, calibration."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.predictions.classes import NO_OUTPUT, match_classes, read_mapping
from pipeline.analyses.predictions.naming import name_classes, name_outputs
from pipeline.analyses.predictions.predictions import (
    HELD_OUT,
    TOP,
    Predictions,
    Reliability,
    accuracy,
    confusion,
    counted_split,
    joined,
    rank_outputs,
    reliability,
)
from pipeline.analyses.predictions.wnids import (
    JSON_FILE,
    class_index_file,
    is_wnid,
    read_called,
    read_class_index,
)
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.class_names import ClassNames, write_class_names
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import Basis, Calibration, Evaluated, SplitCounts, write_predictions
from pipeline.formats.weights import Description, read_description
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.store.tables import write_table
from stages.blocks.predictions import MAPPING, Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)
# The one split, where those of the manifest were drawn here and mean nothing.
ALL = "all"
RELIABILITY = ("confidence", "accuracy", "count", "low", "high")


@dataclass(frozen=True)
class Labels:
    """What the dataset says of the images.

    Attributes
    ----------
    label : (N,) int32
        Index of the class, -1 where there is none.
    split : (N,) str
    classes : tuple of str
    output : (C,) int32
        The network's output for each of the C classes, -1 where there is none.
    drawn : bool
        Whether splits were drawn here.
    """

    label: NDArray[np.int32]
    split: NDArray[np.str_]
    classes: tuple[str, ...]
    output: NDArray[np.int32]
    drawn: bool

    @property
    def right(self) -> NDArray[np.int32]:
        """(N,) int32, the right output of each image, -1 where it is not known."""
        if not len(self.output):
            return np.full(len(self.label), NO_OUTPUT, np.int32)
        return np.where(self.label >= 0, self.output[self.label], NO_OUTPUT).astype(np.int32)


@dataclass(frozen=True)
class Outcome:
    """Predictions beside labels.

    Attributes
    ----------
    image_id : (N,) int64
    predictions : Predictions
        Of all N images.
    counted : Predictions
        Of the images that the accuracy is of.
    split : str or None
        The name of their split; None: all images.
    basis : Basis
        What is known of them.
    labels : Labels
    names : tuple of str
        The outputs' names.
    calibration : Reliability
        Of the counted images.
    """

    image_id: NDArray[np.int64]
    predictions: Predictions
    counted: Predictions
    split: str | None
    basis: Basis
    labels: Labels
    names: tuple[str, ...]
    calibration: Reliability


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write predictions.h5, class_names.h5, metrics/predictions.json and the two tables for `dvc plots`.

    Raises
    ------
    UserError
        The activations were made with other weights, or the mapping of classes is wrong.
    """
    description = read_description(paths["weights"])
    found = _evaluate(params, paths, description)
    _say(found.labels, found.basis, len(found.names))
    numbers = _metrics(found)
    if description.training is None:
        _doubt(numbers, found.counted.label, len(found.names))
    made_from = _made_from(params, paths, description)
    write_predictions(paths["out"], _evaluated(found), made_from=made_from)
    # Beside the names, another param changes nothing.
    del made_from["params"], made_from["activations"]
    names = _class_names(found, read_called(paths["classes"]))
    write_class_names(paths["names"], names, made_from=made_from)
    write_table(paths["confusion"], ("actual", "predicted"), _confusion_rows(params, found, names.of_output))
    write_table(paths["calibration"], RELIABILITY, _calibration_rows(found.calibration))
    write_metrics(paths["metrics"], numbers)


def _evaluate(params: Params, paths: Mapping[str, Path], description: Description) -> Outcome:
    activations = open_activations(paths["activations"])
    _check_fresh(activations, description)
    labels = _read_labels(paths, activations.image_id, description.classes)
    predictions, outputs = _predict(activations, labels.right)
    names = _output_names(description, outputs)
    # A split without labels, as a contest's test images are, has no accuracy.
    known = labels.right >= 0
    splits = labels.split[known] if known.any() else labels.split
    split, basis = counted_split(splits, trained=description.training is not None, drawn=labels.drawn)
    if basis == "unknown" and labels.drawn:
        labels = replace(labels, split=np.full(len(labels.split), ALL))
    counted = predictions if split is None else predictions.rows(labels.split == split)
    calibration = reliability(counted, params.bins, params.binning)
    return Outcome(activations.image_id, predictions, counted, split, basis, labels, names, calibration)


def _check_fresh(activations: Activations, description: Description) -> None:
    if activations.origin.made_from.get("weights", description.digest) != description.digest:
        raise UserError(f"{activations.folder}: stale, made with other weights; run extract again")


def _read_labels(paths: Mapping[str, Path], image_id: NDArray[np.int64], outputs: Sequence[str]) -> Labels:
    with open_manifest(paths["manifest"]) as manifest:
        classes = manifest.class_names
        label = manifest.label()[image_id].astype(np.int32)
        split = np.array(manifest.split(), dtype=np.str_)[image_id]
        drawn = manifest.splits_drawn > 0
    mapping, index = read_mapping(paths["classes"] / MAPPING), read_class_index(paths["classes"])
    return Labels(label, split, classes, match_classes(classes, outputs, mapping, index), drawn)


def _predict(activations: Activations, right: NDArray[np.int32]) -> tuple[Predictions, int]:
    """Return the predictions for all images, and how many outputs there are, reading shard by shard."""
    parts, start, outputs = [], 0, 0
    with progress("predictions", total=len(right), unit="images") as bar:
        for shard in activations.shards():
            logits = shard.logits()
            parts.append(rank_outputs(logits, right[start : start + len(logits)]))
            start, outputs = start + len(logits), logits.shape[1]
            bar.advance(len(logits))
    return joined(parts), outputs


def _output_names(description: Description, outputs: int) -> tuple[str, ...]:
    """Return the outputs' names; numbers where the network has none."""
    if not description.classes:
        return tuple(str(index) for index in range(outputs))
    if len(description.classes) != outputs:
        raise UserError(
            f"the network has {outputs} outputs but {len(description.classes)} class names; give one each"
        )
    return description.classes


def _class_names(found: Outcome, called: Mapping[str, str]) -> ClassNames:
    labels = found.labels
    classes = name_classes(labels.classes, labels.output, found.names, called)
    return ClassNames(classes, name_outputs(found.names, labels.output, classes, called))


def _say(labels: Labels, basis: Basis, outputs: int) -> None:
    """Say what is missing for an accuracy that means something."""
    if not (labels.label >= 0).any():
        log.warning(
            "the dataset has no labels: predictions are written, accuracy and calibration are not defined"
        )
        return
    lost = [name for name, output in zip(labels.classes, labels.output, strict=True) if output == NO_OUTPUT]
    if outputs == 1:
        log.warning("the network has one output, and takes every image for it: there is nothing to get wrong")
    elif lost:
        log.warning(
            "%d of %d classes are no output of the network (%s); give inputs/classes/mapping.csv "
            "with the columns dataset_class,output%s", len(lost), len(labels.classes), ", ".join(lost[:5]),
            f", or for WordNet ids {JSON_FILE}" if any(map(is_wnid, lost)) else "",
        )  # fmt: skip
    if basis == "unknown":
        log.warning(
            "the network was not trained here, and may know these images: all of them count; if it knows "
            "none, say so: dataset.held_out: 1, or folders named %s", " or ".join(HELD_OUT),
        )  # fmt: skip
    if basis == "trained on":
        log.warning("no split is held out (%s): the accuracy is of training images", ", ".join(HELD_OUT))


def _doubt(numbers: Mapping[str, Any], label: NDArray[np.int32], outputs: int) -> None:
    """Say where to look if a network from elsewhere does no better than always naming the largest class."""
    known = label[label >= 0]
    share = np.bincount(known).max() / known.size if known.size else 1.0
    if share < 1 and outputs > 1 and numbers["accuracy_low"] <= share:
        log.warning(
            "%.1f %% of the images are right, perhaps no more than by naming the largest class: see that "
            "model.preprocessing (mean, std, interpolation, resize) and the order of the classes are "
            "those of its training", 100 * numbers["accuracy"],
        )  # fmt: skip


def _metrics(found: Outcome) -> dict[str, Any]:
    """Return the held-out images' numbers on top, then those of each split."""
    outputs, split = len(found.names), found.labels.split
    known = found.counted.label >= 0
    numbers: dict[str, Any] = accuracy(found.counted, outputs)
    if known.any():
        numbers["ece"] = found.calibration.error
        numbers["mean_confidence"] = float(found.counted.probability[known].mean(dtype=np.float64))
    numbers["held_out"] = int(found.split is not None)
    numbers["classes_without_output"] = int((found.labels.output == NO_OUTPUT).sum())
    numbers["images_without_label"] = int((found.predictions.label < 0).sum())
    for name in np.unique(split).tolist():
        numbers.setdefault("split", {})[name] = accuracy(found.predictions.rows(split == name), outputs)
    return numbers


def _made_from(params: Params, paths: Mapping[str, Path], description: Description) -> dict[str, str]:
    made_from = {
        "activations": store.digest(paths["activations"] / INDEX),
        "manifest": store.digest(paths["manifest"]),
        "params": digest(params),
        "weights": description.digest,
    }
    mapping, index = paths["classes"] / MAPPING, class_index_file(paths["classes"])
    if mapping.exists():
        made_from["mapping"] = store.digest(mapping)
    if index is not None:
        made_from["class_index"] = store.digest(index)
    return made_from


def _evaluated(found: Outcome) -> Evaluated:
    """Return the artifact."""
    return Evaluated(
        image_id=found.image_id,
        **vars(found.predictions),
        confusion=confusion(found.counted),
        calibration=Calibration(*(getattr(found.calibration, name) for name in RELIABILITY)),
        splits=_by_split(found),
        class_output=found.labels.output,
        output_name=found.names,
        held_out=found.split or "",
        basis=found.basis,
    )


def _by_split(found: Outcome) -> SplitCounts:
    """Count each split, in the order of their names."""
    splits = np.unique(found.labels.split)
    own = [found.predictions.rows(found.labels.split == name) for name in splits]
    known = [part.rows(part.label >= 0) for part in own]
    return SplitCounts(
        tuple(splits.tolist()),
        images=np.array([len(part) for part in own], np.int64),
        labelled=np.array([len(part) for part in known], np.int64),
        right=np.array([part.correct.sum() for part in known], np.int64),
        right_top5=np.array([(part.label_rank < TOP).sum() for part in known], np.int64),
    )


def _confusion_rows(params: Params, found: Outcome, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return label and prediction of each image for dvc's confusion template; a sample of many."""
    counted = found.counted
    rows = np.flatnonzero(counted.label >= 0)
    if len(rows) > params.plot_rows:
        rows = np.sort(np.random.default_rng(params.seed).choice(rows, params.plot_rows, replace=False))
    return [(names[counted.label[row]], names[counted.predicted[row]]) for row in rows]


def _calibration_rows(calibration: Reliability) -> list[tuple[Any, ...]]:
    columns = [getattr(calibration, name).tolist() for name in RELIABILITY]
    return [row for row in zip(*columns, strict=True) if row[RELIABILITY.index("count")]]


STAGE = Stage(
    name="predictions",
    run=run,
    params=Params,
    block="predictions",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
        "classes": "inputs/classes",
    },
    outputs={
        "out": "artifacts/predictions.h5",
        "names": "artifacts/class_names.h5",
        "metrics": "metrics/predictions.json",
        "confusion": "plots/predictions_confusion.csv",
        "calibration": "plots/predictions_calibration.csv",
    },
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
