"""Compare the network's layers with each other, and those of each checkpoint with the network's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline import store
from pipeline.analyses.similarity import FEWEST_IMAGES, centred, cka
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.similarity import VERSION, Similarity, Training, write_similarity
from pipeline.formats.status import Status, not_run
from pipeline.formats.training_dynamics import DynamicsFile, open_dynamics
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.blocks.similarity import Params
from stages.command import Stage, execute
from stages.leaving import leave

NO_MEANS = (
    "each unit's mean activation was not kept, of which layers are compared; extract.means: true keeps it"
)
FEW = "with {images} images there are too few to compare layers on, at least {least} are needed"

Values = NDArray[np.float32]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/similarity.h5` and its metrics."""
    made_from = {"params": digest(params)}
    found: Similarity | Status = not_run("similarity")
    if params.run:
        made_from["activations"] = store.digest(paths["activations"] / INDEX)
        made_from["training_dynamics"] = store.digest(paths["dynamics"])
        activations = open_activations(paths["activations"])
        # Another number of threads changes the last bits.
        with threadpool_limits(1), open_dynamics(paths["dynamics"]) as dynamics:
            found = _compare(params, activations, dynamics)
    if isinstance(found, Status):
        leave(found, paths, stage="similarity", version=VERSION, made_from=made_from)
        return
    write_similarity(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], numbers(found))


def _compare(
    params: Params, activations: Activations, dynamics: DynamicsFile | Status
) -> Similarity | Status:
    """Compare all layers on one sample: that of the training dynamics where there is one."""
    known = activations.image_id if isinstance(dynamics, Status) else dynamics.sample.image_id
    if len(known) < FEWEST_IMAGES:
        return Status("not applicable", FEW.format(images=len(known), least=FEWEST_IMAGES))
    if isinstance(dynamics, Status) and not activations.has_means:
        return Status("not applicable", NO_MEANS)
    rng = np.random.default_rng(params.seed)
    rows = np.sort(rng.choice(len(known), min(params.sample, len(known)), replace=False))
    if isinstance(dynamics, Status):
        values = _read_means(activations, known[rows])
    else:
        last = len(dynamics.checkpoints.name) - 1
        values = {name: dynamics.means(name, last)[rows] for name in activations.layers}
    own = [centred(values[name]) for name in activations.layers]
    training = None if isinstance(dynamics, Status) else _training(dynamics, rows, own)
    halves = _halves(list(values.values()), rng.permutation(len(rows)))
    return Similarity(tuple(activations.layers), known[rows], cka(own, own), halves, training)


def _read_means(activations: Activations, image_id: NDArray[np.int64]) -> dict[str, Values]:
    """Read the means of every layer on some images, a shard at a time."""
    parts: dict[str, list[Values]] = {name: [] for name in activations.layers}
    with progress("reading means", total=activations.count, unit="shards") as bar:
        for shard in activations.shards():
            rows = np.isin(shard.image_id, image_id)
            if rows.any():
                for name, taken in parts.items():
                    taken.append(shard.means(name)[rows])
            bar.advance()
    return {name: np.concatenate(taken) for name, taken in parts.items()}


def _training(
    dynamics: DynamicsFile, rows: NDArray[np.int64], own: Sequence[NDArray[np.float64]]
) -> Training:
    layers, found = dynamics.about.layers, []
    names = dynamics.checkpoints.name
    with progress("comparing checkpoints", total=len(names), unit="checkpoints") as bar:
        for place in range(len(names)):
            # A layer at a time: of all together the pairs would take as much memory again.
            found.append([cka([centred(dynamics.means(name, place)[rows])], own)[0] for name in layers])
            bar.advance()
    return Training(names, dynamics.checkpoints.epoch, np.array(found))


def _halves(values: Sequence[Values], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compare the layers on each half of the images; empty where a half has too few."""
    middle = len(order) // 2
    if middle < FEWEST_IMAGES:
        return np.zeros((0, len(values), len(values)))
    found = []
    for rows in (order[:middle], order[middle:]):
        own = [centred(one[np.sort(rows)]) for one in values]
        found.append(cka(own, own))
    return np.stack(found)


def numbers(found: Similarity) -> dict[str, float]:
    """Return the metrics: what is NaN is left out."""
    made: dict[str, float] = {"images": len(found.image_id), "layers": len(found.layers)}
    beside = np.diagonal(found.cka, 1)
    given = {"neighbours_mean": beside, "first_last": found.cka[0, -1:]}
    if len(found.halves):
        given["halves_differ"] = np.abs(found.halves[0] - found.halves[1])
    if found.training is not None:
        given["first_checkpoint_mean"] = np.diagonal(found.training.cka[0])
    return made | {
        name: float(np.nanmean(values)) for name, values in given.items() if np.isfinite(values).any()
    }


STAGE = Stage(
    name="similarity",
    run=run,
    params=Params,
    block="similarity",
    inputs={"activations": "artifacts/activations", "dynamics": "artifacts/training_dynamics.h5"},
    outputs={"out": "artifacts/similarity.h5", "metrics": "metrics/similarity.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
