"""Compare what people say of the images with what the network says of them."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.humans.choices import read_choices, sort_files
from pipeline.analyses.humans.comparing import Places, Scored, compare, consistencies, raters_of
from pipeline.analyses.humans.doubt import (
    cross_entropy,
    entropy,
    equal_bins,
    log_probabilities,
    network_entropy,
)
from pipeline.analyses.humans.judging import judge
from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import Given, find_files, read_answers
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import open_activations
from pipeline.formats.class_names import read_class_names
from pipeline.formats.human_choices import Choices, Scores
from pipeline.formats.humans import NETWORK, Doubt, Humans, Network, People, write_humans
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.status import Status, not_run
from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.intervals import wilson
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from stages.blocks.humans import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

NO_ANSWERS = Status(
    "not applicable",
    "there are no labels by people: label images on the labelling page of the report, if it has one, or put "
    "CSV files (path, annotator, label) into inputs/humans/, and run again",
)
NO_CHOICES = Status(
    "not applicable",
    "nobody has said yet which of two images excites a unit more: choose on the labelling page of the "
    "report, if it asks this, put the CSV file into inputs/humans/, and run again",
)
NO_LABELS = Status(
    "not applicable",
    "none of the images that people labelled has a label in the dataset that is an output of the network, so "
    "neither people nor the network are right or wrong on them",
)


@dataclass(frozen=True)
class Images:
    """All images of the run: paths and labels by image id, classes, and what the network says."""

    path: list[str]
    label: NDArray[np.int32]
    classes: tuple[str, ...]
    evaluated: Evaluated

    @property
    def places(self) -> Places:
        """Where what people name stands."""
        return Places(
            {path: place for place, path in enumerate(self.path)},
            {name: place for place, name in enumerate(self.classes)},
        )


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/humans.h5` and its metrics.

    Raises
    ------
    UserError
        A file of answers is not as it must be, or an artifact is stale.
    """
    made_from = {"params": digest(params)}
    files = find_files(paths["given"]) if params.run else []
    if files:
        made_from |= {name: store.digest(paths[name]) for name in ("manifest", "predictions", "names")}
        made_from["activations"] = store.digest(paths["activations"] / INDEX)
        found = _found(params, paths, files)
    elif params.run:
        found = People(NO_ANSWERS, NO_CHOICES)
    else:
        found = People(not_run("humans"), not_run("humans"))
    write_humans(paths["out"], found, made_from=made_from)
    numbers = {} if isinstance(found.humans, Status) else _numbers(found.humans)
    if not isinstance(found.choices, Status):
        numbers["choices"] = _scores(found.choices)
    write_metrics(paths["metrics"], numbers)


def _found(params: Params, paths: Mapping[str, Path], files: list[Path]) -> People:
    evaluated, called = read_predictions(paths["predictions"]), read_class_names(paths["names"]).of_class
    with open_manifest(paths["manifest"]) as manifest:
        images = Images(manifest.path(), manifest.label(), manifest.class_names, evaluated)
    names = Names(images.path, images.classes, called)
    answers, chosen = sort_files(files)
    compared: Humans | Status = NO_ANSWERS
    if answers:
        compared = _compared(params, paths, images, read_answers(answers, names, strict=False))
    choices: Choices | Status = NO_CHOICES
    if chosen:
        activations, said = open_activations(paths["activations"]), read_choices(chosen, names, strict=False)
        weights = activations.origin.made_from["weights"]
        choices = judge(said, activations, images.places.image, weights)
    return People(compared, choices)


def _compared(params: Params, paths: Mapping[str, Path], images: Images, given: Given) -> Humans | Status:
    for file, lines in given.unknown.items():
        log.warning("%s: %d lines are about images that this run does not have; left out", file, lines)
    raters, conditions, answers = raters_of(given, images.places, params.annotators)
    network = _network(images, np.unique(answers.image_id))
    if not len(network.image_id):
        return NO_LABELS
    scored = Scored(answers, network)
    log.info(
        "%d answers of %d raters on %d images", len(answers.rater), len(raters.name), len(network.image_id)
    )
    return Humans(
        raters, conditions, answers, network,
        compare(raters, len(conditions), scored, len(images.classes)),
        consistencies(raters, len(conditions), scored, repeats=params.repeats, seed=params.seed),
        given.unknown.total(), int((scored.row < 0).sum()), _doubt(params, paths, images, given),
    )  # fmt: skip


def _rows(evaluated: Evaluated, image_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where images stand among the predictions."""
    if not np.isin(image_id, evaluated.image_id).all():
        raise UserError("artifacts/predictions.h5: stale, of other images; run predictions again")
    return np.searchsorted(evaluated.image_id, image_id)


def _network(images: Images, image_id: NDArray[np.int64]) -> Network:
    """Return what the network says of those that have a label which is an output."""
    evaluated = images.evaluated
    rows = _rows(evaluated, image_id)
    rows, image_id = (values[evaluated.label[rows] >= 0] for values in (rows, image_id))
    right = evaluated.label_rank[rows] == 0
    has_output = np.flatnonzero(evaluated.class_output >= 0)
    class_of = np.full(len(evaluated.output_name), -1, np.int32)
    class_of[evaluated.class_output[has_output]] = has_output
    label = images.label[image_id].astype(np.int32)
    # Two classes may share an output, which is right for both.
    predicted = np.where(right, label, class_of[evaluated.predicted[rows]]).astype(np.int32)
    return Network(image_id, label, predicted, right, evaluated.label_rank[rows] < 5)


def _doubt(params: Params, paths: Mapping[str, Path], images: Images, given: Given) -> Doubt | None:
    """Hold the network's probabilities against the shares of those that many people labelled."""
    counts = {path: row for path, row in _all_counts(given).items() if row.total() - row[""] >= params.many}
    if not counts:
        return None
    place = images.places.image
    order = sorted(counts, key=place.__getitem__)
    image_id = np.array([place[path] for path in order], np.int64)
    count = np.array([[counts[path][name] for name in images.classes] for path in order], np.int64)
    none = np.array([counts[path][""] for path in order], np.int64)
    told = log_probabilities(_logits(paths["activations"], image_id))
    crossed = cross_entropy(count, told, images.evaluated.class_output)
    known = crossed[~np.isnan(crossed)]
    interval = (
        [ends[0] for ends in bootstrap_means(known[:, None], repeats=params.repeats, seed=params.seed)]
        if len(known) else [np.nan, np.nan]
    )  # fmt: skip
    rows, label = _rows(images.evaluated, image_id), images.label[image_id]
    mine = np.take_along_axis(count, np.maximum(label, 0)[:, None], axis=1)[:, 0]
    known_right = np.where(images.evaluated.label[rows] >= 0, images.evaluated.label_rank[rows] == 0, -1)
    doubted = entropy(count)
    return Doubt(
        image_id, count, none, doubted, network_entropy(told), crossed,
        images.evaluated.log_loss[rows].astype(np.float64),
        np.where(label >= 0, mine / (count.sum(axis=1) + none), np.nan), known_right.astype(np.int8),
        equal_bins(doubted, params.bins), np.array(interval),
    )  # fmt: skip


def _all_counts(given: Given) -> dict[str, Counter[str]]:
    """Add up, image by image, the tables and the first guesses of all annotators."""
    counts: dict[str, Counter[str]] = {}
    for table in given.counts.values():
        for path, row in table.items():
            counts.setdefault(path, Counter()).update(row)
    for answer in given.answers:
        counts.setdefault(answer.path, Counter())[answer.guesses[0]] += 1
    return counts


def _logits(activations: Path, image_id: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read the logits of some images, ascending, (S, O)."""
    parts = []
    for shard in open_activations(activations).shards():
        rows = np.isin(shard.image_id, image_id)
        if rows.any():
            parts.append(shard.logits()[rows])
    return np.concatenate(parts)


def _numbers(found: Humans) -> dict[str, object]:
    """Return the metrics: of each rater, of the consistency, of images that many labelled."""
    numbers: dict[str, object] = {
        "images": len(found.network.image_id), "answers": len(found.answers.rater) - found.unlabelled,
        "raters": {name: _rater(found, place) for place, name in enumerate(found.raters.name)},
    }  # fmt: skip
    with_network = found.consistency.first == NETWORK
    for name, rows in (("consistency_network", with_network), ("consistency_people", ~with_network)):
        if rows.any():
            numbers[name] = float(found.consistency.kappa[rows].mean())
    if found.doubt is not None:
        low, high = found.doubt.interval.tolist()
        numbers["many"] = {
            "images": len(found.doubt.image_id), "people": float(found.doubt.count.sum(axis=1).mean()),
            "entropy": float(found.doubt.entropy.mean()),
        }  # fmt: skip
        if not np.isnan(low):
            crossed = float(np.nanmean(found.doubt.cross_entropy))
            numbers["many"] |= {"cross_entropy": crossed, "low": low, "high": high}  # type: ignore[operator]
    return numbers


def _scores(found: Choices) -> dict[str, object]:
    """Return the metrics of people's choices: of all, and of each layer."""

    def told(scores: Scores, place: int, layer: int | None) -> dict[str, object]:
        ends = {name: float(getattr(scores, name)[place]) for name in ("share", "low", "high")}
        return {**ends, **found.counts(layer)}

    layers = {name: told(found.scores, place, place) for place, name in enumerate(found.layers)}
    return told(found.whole, 0, None) | {"layers": layers}


def _rater(found: Humans, place: int) -> dict[str, object]:
    both, one, other, neither = found.compared.cells[place].sum(axis=0).tolist()
    images = both + one + other + neither
    if not images:
        return {"images": 0}
    low, high = (float(end) for end in wilson(both + one, images))
    return {
        "images": images, "accuracy": (both + one) / images, "low": low, "high": high,
        "network": (both + other) / images, "mcnemar": float(found.compared.mcnemar[place]),
    }  # fmt: skip


STAGE = Stage(
    name="humans",
    run=run,
    params=Params,
    block="humans",
    inputs={
        "given": "inputs/humans",
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "names": "artifacts/class_names.h5",
    },
    outputs={"out": "artifacts/humans.h5", "metrics": "metrics/humans.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
