"""Make the network: trained here, or taken over with torchvision's weights or a checkpoint of yours."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.manifest import open_manifest
from pipeline.formats.weights import read_description, write_course
from pipeline.images.preprocess import Preprocessing
from pipeline.model.network import save_network
from pipeline.numerics.intervals import wilson
from pipeline.store.metrics import write_metrics
from pipeline.weights.assembly import TRAIN, Source, pretrained, untrained
from pipeline.weights.training import Epoch, Schedule, read_labelled, save_checkpoint, train
from stages.blocks.model import Params, source_of
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Train, or take over; write the weights folder, and of training its course."""
    source = source_of(params, paths["inputs"])
    shutil.rmtree(paths["weights"], ignore_errors=True)
    with open_manifest(paths["manifest"]) as manifest:
        classes, sizes = manifest.class_names, manifest.size()
    if params.weights == TRAIN:
        course = _train(params, source, classes, paths)
    else:
        network, description = pretrained(source, classes)
        save_network(paths["weights"], network, description, source.inputs)
        course = []
    rows = [(e.number, e.train_loss, e.held_out_loss, e.correct / e.total) for e in course]
    write_course(paths["course"], rows)
    write_metrics(paths["metrics"], _numbers(course))
    tell_of_middles(read_description(paths["weights"]).preprocessing, *sizes)


def tell_of_middles(seen: Preprocessing, width: NDArray[np.int32], height: NDArray[np.int32]) -> None:
    """Say of how many images the network is shown the middle alone, since nothing says how to resize them."""
    larger = int(((height > seen.input_size[0]) | (width > seen.input_size[1])).sum())
    if seen.resize is None and larger:
        log.warning(
            "of %d of %d images only the %d x %d pixels in the middle are seen: model.preprocessing has no "
            "resize",
            larger, len(width), *seen.input_size,
        )  # fmt: skip


def _train(params: Params, source: Source, classes: Sequence[str], paths: Mapping[str, Path]) -> list[Epoch]:
    _, description = untrained(source, classes)
    data = read_labelled(paths["manifest"], description.preprocessing)
    schedule = Schedule(**params.training.model_dump(exclude={"checkpoints"}))
    course: list[Epoch] = []
    for epoch, network in train(
        lambda: untrained(source, classes)[0], data, description.preprocessing, schedule
    ):
        course.append(epoch)
        if epoch.number in params.training.checkpoints:
            save_checkpoint(paths["weights"], network, epoch.number)
    about = {**params.training.model_dump(mode="json"), **_numbers(course)}
    done = description.model_copy(update={"training": about})
    save_network(paths["weights"], network, done, source.inputs)
    log.info("%d of %d held-out images right after epoch %d", epoch.correct, epoch.total, epoch.number)
    return course


def _numbers(course: Sequence[Epoch]) -> dict[str, float | int]:
    """Return the metrics: none for weights that were made elsewhere."""
    if not course:
        return {}
    last = course[-1]
    low, high = wilson(last.correct, last.total)
    return {
        "held_out_accuracy": last.correct / last.total,
        "held_out_accuracy_low": float(low),
        "held_out_accuracy_high": float(high),
        "held_out_images": last.total,
        "held_out_loss": last.held_out_loss,
    }


STAGE = Stage(
    name="weights",
    run=run,
    params=Params,
    block="model",
    inputs={"manifest": "artifacts/manifest.h5", "inputs": "inputs"},
    outputs={
        "weights": "artifacts/weights",
        "course": "plots/weights_training",
        "metrics": "metrics/weights.json",
    },
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
