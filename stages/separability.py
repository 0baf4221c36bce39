"""Fit a linear probe to each layer, and score it on held-out images."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline import store
from pipeline.analyses.separability import Task, fit_probe, make_task
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import read_predictions
from pipeline.formats.separability import (
    KINDS,
    VERSION,
    Kind,
    LayerProbe,
    ProbeSample,
    Separability,
    write_separability,
)
from pipeline.formats.status import Status, not_run
from pipeline.formats.training_dynamics import DynamicsFile, open_dynamics
from pipeline.layers.choosing import choose_layers
from pipeline.numerics.intervals import wilson
from pipeline.params import digest
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.blocks.separability import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

TRAIN = "train"
# Share of the images that is held out where the dataset has no two splits.
HELD_OUT = 0.2
# Images of a class, on average, below which the sample is of fewer classes: one or two are no class to learn.
LEAST = 10
NO_LABELS = (
    "no image has a label, so there are no classes to tell apart: give labels by class folders or a CSV "
    "(inputs/README.md)"
)
ONE_CLASS = "the images to fit to are of one class, so there is nothing to tell apart"
NO_HELD_OUT = "of the classes that were fitted no other image is left to score on"

Values = NDArray[np.float32]
Read = Callable[[str, Kind], Values]


@dataclass(frozen=True)
class Images:
    """N labelled images, ascending, their classes and splits, and whether the network is right on each.

    Attributes
    ----------
    of_classes
        How many there are of which these were drawn; 0 where none was left out.
    """

    image_id: NDArray[np.int64]
    label: NDArray[np.int64]
    split: NDArray[np.str_]
    right: NDArray[np.int8]
    of_classes: int


@dataclass(frozen=True)
class Sides:
    """Which of the images are fitted to and which are held out, (N,) bool each, and what is kept of them."""

    fit: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    sample: ProbeSample
    task: Task


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/separability.h5` and its metrics.

    Raises
    ------
    UserError
        There is no such layer, or an artifact is stale.
    """
    made_from = {"params": digest(params)}
    found: tuple[Separability, int] | Status = not_run("separability")
    if params.run:
        made_from |= {name: store.digest(paths[name]) for name in ("manifest", "predictions")}
        made_from["activations"] = store.digest(paths["activations"] / INDEX)
        made_from["training_dynamics"] = store.digest(paths["dynamics"])
        # Another number of threads changes the last bits.
        with threadpool_limits(1), open_dynamics(paths["dynamics"]) as dynamics:
            found = _separate(params, paths, dynamics)
    if isinstance(found, Status):
        leave(found, paths, stage="separability", version=VERSION, made_from=made_from)
        return
    separability, of_classes = found
    write_separability(paths["out"], separability, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(separability, of_classes))


def _separate(
    params: Params, paths: Mapping[str, Path], dynamics: DynamicsFile | Status
) -> tuple[Separability, int] | Status:
    """Return the probes, and of how many classes theirs were drawn, 0 where none was left out."""
    activations = open_activations(paths["activations"])
    layers = choose_layers(params.layers, activations.layers, "separability.layers")
    known = activations.image_id if isinstance(dynamics, Status) else dynamics.sample.image_id
    images = _images(params, paths, known)
    sides = _sides(images, params) if len(images.image_id) else Status("not applicable", NO_LABELS)
    if isinstance(sides, Status):
        return sides
    kinds = KINDS if not isinstance(dynamics, Status) or activations.has_means else KINDS[1:]
    if isinstance(dynamics, Status):
        readers = [_reader(activations, images.image_id, layers, kinds)]
    else:
        rows = np.searchsorted(known, images.image_id)
        places = [len(dynamics.checkpoints.name) - 1, dynamics.checkpoints.initial]
        readers = [_step_reader(dynamics, place, rows) for place in places if place is not None]
    units = sum(activations.layer(name).units for name in layers)
    log.info(
        "%d units in %d layers, probes for %d classes fitted to %d images and scored on %d",
        units, len(layers), len(sides.sample.classes), int(sides.fit.sum()), int(sides.held_out.sum()),
    )  # fmt: skip
    total = len(readers) * len(layers) * len(kinds)
    with progress("fitting probes", total=total, unit="probes") as bar:
        probes = [_probes(read, layers, kinds, sides, bar) for read in readers]
    found = Separability(tuple(layers), kinds, sides.sample, probes[0], probes[1] if probes[1:] else {})
    return found, images.of_classes


def _images(params: Params, paths: Mapping[str, Path], known: NDArray[np.int64]) -> Images:
    """Draw labelled images; of the classes of each side what it takes is drawn alike."""
    evaluated = read_predictions(paths["predictions"])
    with open_manifest(paths["manifest"]) as manifest:
        labels = manifest.label()
        labelled = known[labels[known] >= 0]
        image_id = np.sort(_draw(labelled, labels[labelled], params))
        label = labels[image_id].astype(np.int64)
        split = np.array(manifest.split(), dtype=np.str_)[image_id]
    rows = np.searchsorted(evaluated.image_id, image_id)
    if len(image_id) and not np.isin(image_id, evaluated.image_id).all():
        raise UserError(f"{paths['predictions']}: stale, of other images; run predictions again")
    output = evaluated.label[rows]
    right = np.where(output >= 0, output == evaluated.predicted[rows], -1).astype(np.int8)
    classes = len(np.unique(labels[labelled]))
    drawn = _most_classes(labels[labelled], params.sample) < classes
    return Images(image_id, label, split, right, classes if drawn else 0)


def _draw(labelled: NDArray[np.int64], label: NDArray[np.integer], params: Params) -> NDArray[np.int64]:
    """Draw images, of as many classes, drawn before, as `_most_classes` says."""
    rng, classes = np.random.default_rng(params.seed), np.unique(label)
    most = _most_classes(label, params.sample)
    if most < len(classes):
        labelled = labelled[np.isin(label, rng.permutation(classes)[:most])]
    return rng.permutation(labelled)[: params.sample]


def _most_classes(label: NDArray[np.integer], sample: int) -> int:
    """Return of how many classes so many images are drawn: where all would have few each, of fewer."""
    classes = len(np.unique(label))
    each = min(LEAST, len(label) // max(1, classes))
    return max(2, sample // each) if len(label) > sample and each * classes > sample else classes


def _sides(images: Images, params: Params) -> Sides | Status:
    """Divide the images by their splits, or where there are no two, by lot."""
    fit = images.split == TRAIN
    drawn = bool(fit.all() or not fit.any())
    if drawn:
        fit = np.random.default_rng(params.seed).random(len(fit)) >= HELD_OUT
    classes = np.unique(images.label[fit])
    if len(classes) < 2:
        return Status("not applicable", ONE_CLASS)
    held_out = ~fit & np.isin(images.label, classes)
    if not held_out.any():
        return Status("not applicable", NO_HELD_OUT)
    sample = ProbeSample(
        images.image_id[fit], images.image_id[held_out], np.searchsorted(classes, images.label[held_out]),
        images.right[held_out], classes, drawn,
    )  # fmt: skip
    fitted = np.searchsorted(classes, images.label[fit])
    task = make_task(fitted, params.strengths, most_steps=params.steps, seed=params.seed)
    return Sides(fit, held_out, sample, task)


def _reader(
    activations: Activations, image_id: NDArray[np.int64], layers: list[str], kinds: tuple[Kind, ...]
) -> Read:
    """Read some images of the extraction, a shard at a time, and hold them."""
    parts: dict[tuple[str, Kind], list[Values]] = {(name, kind): [] for name in layers for kind in kinds}
    with progress("reading", total=activations.count, unit="shards") as bar:
        for shard in activations.shards():
            rows = np.isin(shard.image_id, image_id)
            if rows.any():
                for (name, kind), taken in parts.items():
                    values = shard.means(name) if kind == "mean" else shard.maxima(name)[0]
                    taken.append(values[rows])
            bar.advance()
    held = {key: np.concatenate(taken) for key, taken in parts.items()}
    return lambda name, kind: held[name, kind]


def _step_reader(dynamics: DynamicsFile, place: int, rows: NDArray[np.int64]) -> Read:
    """Read some images of a checkpoint."""

    def read(name: str, kind: Kind) -> Values:
        values = dynamics.means(name, place) if kind == "mean" else dynamics.maxima(name, place)
        return values[rows]

    return read


def _probes(
    read: Read, layers: list[str], kinds: tuple[Kind, ...], sides: Sides, bar: Bar
) -> dict[tuple[str, Kind], LayerProbe]:
    probes: dict[tuple[str, Kind], LayerProbe] = {}
    for name in layers:
        before: Values | None = None
        for kind in kinds:
            values = read(name, kind)
            # Of one position the mean is the largest.
            same = before is not None and np.array_equal(before, values)
            probes[name, kind] = probes[name, kinds[0]] if same else _probe(values, sides)
            before = values
            bar.advance()
    return probes


def _probe(values: Values, sides: Sides) -> LayerProbe:
    probe = fit_probe(values[sides.fit], sides.task)
    predicted = probe.predict(values[sides.held_out])
    return LayerProbe(probe.weight, probe.intercept, probe.strength, probe.converged, predicted)


def _numbers(found: Separability, of_classes: int) -> dict[str, object]:
    """Return the metrics."""
    sample, count = found.sample, len(found.sample.held_out)
    numbers: dict[str, object] = {
        "fitted": len(sample.fit),
        "held_out": count,
        "classes": len(sample.classes),
    }
    if of_classes:
        numbers["of_classes"] = of_classes
    for when, probes in (("probes", found.probes), ("initial", found.initial)):
        for (layer, kind), probe in probes.items():
            numbers.setdefault(f"{when}_{kind}", {})[layer] = float((probe.predicted == sample.label).mean())  # type: ignore[index]
    known = sample.network_right >= 0
    if known.all():
        right = int(sample.network_right.sum())
        low, high = (float(end) for end in wilson(right, count))
        numbers |= {"network": right / count, "network_low": low, "network_high": high}
    unfinished = sum(not probe.converged for probe in [*found.probes.values(), *found.initial.values()])
    return numbers | {"unfinished": unfinished}


STAGE = Stage(
    name="separability",
    run=run,
    params=Params,
    block="separability",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "dynamics": "artifacts/training_dynamics.h5",
    },
    outputs={"out": "artifacts/separability.h5", "metrics": "metrics/separability.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
