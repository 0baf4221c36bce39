"""Make the network: trained here, or taken over with torchvision's weights or a checkpoint of yours."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline import store
from pipeline.images.preprocess import Preprocessing
from pipeline.model.network import save_network
from pipeline.numerics.intervals import wilson
from pipeline.params import Block
from pipeline.store.metrics import write_metrics
from pipeline.store.tables import write_table
from pipeline.weights.assembly import TRAIN, Source, pretrained, preview, untrained
from pipeline.weights.training import Epoch, Schedule, read_labelled, save_checkpoint, train
from stages.command import Stage, execute

log = logging.getLogger(__name__)


class Training(Block):
    """The part `training` of the block."""

    epochs: int = Field(ge=1, le=10000, description="passes over the training images")
    learning_rate: float = Field(gt=0, le=10, description="peak of the one-cycle schedule of AdamW")
    batch_size: int = Field(ge=1, le=4096, description="images in a step")
    shift: int = Field(ge=0, le=64, description="largest random translation, pixels of the network input")
    weight_decay: float = Field(ge=0, le=10, description="of AdamW")
    seed: int = Field(ge=0, le=2**63 - 1, description="of initial weights, order and shifts")
    checkpoints: tuple[int, ...] = Field(description="epochs whose weights are kept; 0 is the initialisation")


class Params(Block):
    """The block `model`."""

    architecture: str = Field(
        description="builtin:<name>, torchvision:<name>, or inputs/network/file.py:factory"
    )
    weights: str = Field(description="train, the name of torchvision weights, or a checkpoint file")
    preprocessing: Literal["auto"] | Preprocessing = Field(description="auto, or how images are prepared")
    training: Training


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Train, or take over; write the weights folder, and of training its course."""
    source = source_of(params, paths["inputs"])
    shutil.rmtree(paths["weights"], ignore_errors=True)
    with store.read(paths["manifest"]) as manifest:
        classes = manifest.strings("class_names")
    if params.weights == TRAIN:
        course = _train(params, source, classes, paths)
    else:
        network, description = pretrained(source, classes)
        save_network(paths["weights"], network, description, source.inputs)
        course = []
    rows = [(e.number, e.train_loss, e.held_out_loss, e.correct / e.total) for e in course]
    write_table(paths["course"], ("epoch", "train_loss", "test_loss", "test_accuracy"), rows)
    write_metrics(paths["metrics"], _numbers(course))


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


def source_of(params: Params, inputs: Path) -> Source:
    """Return what the params say of the network."""
    given = None if isinstance(params.preprocessing, str) else params.preprocessing
    return Source(params.architecture, params.weights, given, inputs)


def check(blocks: Mapping[str, Any]) -> None:
    """Build the network as far as that is possible before there is a manifest."""
    preview(source_of(blocks["model"], Path("inputs")))


STAGE = Stage(
    name="weights",
    run=run,
    params=Params,
    block="model",
    inputs={"manifest": "artifacts/manifest.h5", "inputs": "inputs"},
    outputs={
        "weights": "artifacts/weights",
        "course": "plots/weights_training.csv",
        "metrics": "metrics/weights.json",
    },
    check=check,
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
