"""Find for some classes the image that the network's score of each likes best."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.class_models import Models, class_models
from pipeline.formats.class_models import VERSION, ClassModels, write_class_models
from pipeline.formats.probes import Probes
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.parallel.forks import map_forked
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.class_models import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """What class models look like, and what the network says of that: as of `ClassModels`."""

    picture: NDArray[np.uint8]
    clipped: NDArray[np.float32]
    probability: NDArray[np.float32]
    predicted: NDArray[np.int32]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/class_models.h5` and its metrics."""
    begun = begin(params, paths, stage="class_models", version=VERSION)
    if begun is None:
        return
    runner = Runner(place_network(load_network(paths["weights"]), choose_device()))
    outputs = _outputs(begun.probes, params.classes)
    found = _gathered(outputs, params, list(_climbed(runner, outputs, params, begun.preprocessing)))
    write_class_models(paths["out"], found, made_from=begun.made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _outputs(probes: Probes, most: int) -> NDArray[np.int32]:
    """Return the classes of the probes, in their order: labels, and predictions where there is no label."""
    own = np.where(probes.label >= 0, probes.label, probes.predicted)
    return np.array(list(dict.fromkeys(own.tolist()))[:most], np.int32)


def _climbed(
    runner: Runner, outputs: NDArray[np.int32], params: Params, preprocessing: Preprocessing
) -> Iterator[tuple[Models, Shown]]:
    """Climb for each class, a batch a job, and say beforehand how much that is."""
    total = len(outputs) * params.steps * (2 if params.weight == "auto" else 1)
    log.info("%d classes, %d steps: %d gradients to take", len(outputs), params.steps, total)
    climb = partial(_climb, runner, params, preprocessing)
    batches = [outputs[at : at + params.batch_size] for at in range(0, len(outputs), params.batch_size)]
    trial, climbing = partial(climb, 1, batches[0]), partial(climb, params.steps)
    with progress("climbing", total=len(outputs), unit="classes") as bar:
        for one in map_forked(climbing, batches, trial=trial, here=runner.is_on_gpu):
            yield one
            bar.advance(len(one[0].weight))


def _climb(
    runner: Runner, params: Params, preprocessing: Preprocessing, steps: int, outputs: NDArray[np.int32]
) -> tuple[Models, Shown]:
    """Climb so many steps for a batch of classes."""
    weight = None if params.weight == "auto" else params.weight
    shape = (preprocessing.channels, *preprocessing.input_size)
    models = class_models(runner, outputs, shape, weight=weight, steps=steps)
    return models, _shown(runner, models, outputs, preprocessing)


def _shown(runner: Runner, models: Models, outputs: NDArray[np.int32], preprocessing: Preprocessing) -> Shown:
    """Add the training mean, round to what a file holds, and ask the network."""
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    values = (models.image.transpose(0, 2, 3, 1) * std + mean) * 255
    picture = np.clip(values, 0, 255).round().astype(np.uint8)
    logits = runner.run(normalise(picture, preprocessing)).logits
    assert logits is not None, "the network ran to its end"
    own = logits.double().softmax(1).cpu().numpy()[np.arange(len(outputs)), outputs]
    outside = ((values < 0) | (values > 255)).mean((1, 2, 3))
    said = logits.argmax(1).cpu().numpy()
    return Shown(picture, outside.astype(np.float32), own.astype(np.float32), said.astype(np.int32))


def _gathered(outputs: NDArray[np.int32], params: Params, parts: list[tuple[Models, Shown]]) -> ClassModels:
    return ClassModels(
        outputs,
        weight=np.concatenate([models.weight for models, _ in parts]).astype(np.float32),
        score=np.concatenate([models.score for models, _ in parts]).astype(np.float32),
        energy=np.concatenate([models.energy for models, _ in parts]).astype(np.float32),
        picture=np.concatenate([shown.picture for _, shown in parts]),
        clipped=np.concatenate([shown.clipped for _, shown in parts]),
        probability=np.concatenate([shown.probability for _, shown in parts]),
        predicted=np.concatenate([shown.predicted for _, shown in parts]),
        chosen_weight=params.weight == "auto",
    )


def _numbers(found: ClassModels) -> dict[str, float]:
    return {
        "classes": len(found.output),
        "recognised": int((found.predicted == found.output).sum()),
        "median_score": float(np.median(found.score[:, -1])),
        "median_probability": float(np.median(found.probability)),
    }


STAGE = Stage(
    name="class_models",
    run=run,
    params=Params,
    block="class_models",
    inputs={"probes": "artifacts/probes.h5", "weights": "artifacts/weights"},
    outputs={"out": "artifacts/class_models.h5", "metrics": "metrics/class_models.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
