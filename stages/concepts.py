"""Learn directions from the user's examples of concepts, and how much the outputs depend on them."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from pipeline import store
from pipeline.analyses.directions.axes import looked_at
from pipeline.analyses.directions.concepts import layer_concepts, outputs_of, random_sets_of
from pipeline.analyses.directions.examples import find_examples, read_examples
from pipeline.dataset.originals import none_readable, originals
from pipeline.errors import UserError, nearest
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import INPUT, Activations, open_activations
from pipeline.formats.concepts import VERSION, About, LayerConcepts, write_concepts
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from pipeline.layers.layers import describe_layers
from pipeline.layers.running import Outputs, Runner
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.blocks.concepts import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]
NONE = Status(
    "not applicable",
    "there are no examples: give each concept a folder of images, inputs/concepts/<name>/, 50 or so, and run "
    "again",
)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/concepts.h5` and its metrics.

    Raises
    ------
    UserError
        A layer or an output is not there, or too few images of a concept or of the dataset can be read.
    """
    made_from = {"params": digest(params)}
    found = find_examples(paths["given"]) if params.run else {}
    if not found:
        status = NONE if params.run else not_run("concepts")
        leave(status, paths, stage="concepts", version=VERSION, made_from=made_from)
        return
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "predictions")}
    made_from["activations"] = store.digest(paths["activations"] / INDEX)
    made_from["weights"] = read_description(paths["weights"]).digest
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    with threadpool_limits(1), open_manifest(paths["manifest"]) as manifest:
        about, layers = _learn(params, paths, manifest, found)
    write_concepts(paths["out"], about, layers, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(about, layers))


def _learn(
    params: Params, paths: Mapping[str, Path], manifest: ManifestFile, found: Mapping[str, Sequence[Path]]
) -> tuple[About, dict[str, LayerConcepts]]:
    """Learn all concepts in all layers."""
    activations, evaluated = open_activations(paths["activations"]), read_predictions(paths["predictions"])
    names = looked_at(activations, params.layers, {})
    sets = random_sets_of(activations.image_id, params.random_sets, params.random_images, params.seed)
    asked = outputs_of(_output_of(evaluated), _wanted(params, evaluated), params.images, params.seed)
    _announce(found, sets, asked, names)
    looking = _Looking(paths["weights"], activations, names, manifest, params.batch_size)
    examples = {
        concept: looking.vectors(
            read_examples(paths["given"] / concept, files, looking.preprocessing, params.batch_size)
        )
        for concept, files in found.items()
    }
    drawn = [looking.vectors(looking.batches(one)) for one in sets]
    slopes = {number: looking.slopes(evaluated.image_id[places], number) for number, places in asked.items()}
    layers = {
        name: layer_concepts(
            [one[name] for one in examples.values()], [one[name] for one in drawn],
            [one[name] for one in slopes.values()], seed=params.seed,
        )
        for name in names
    }  # fmt: skip
    first = names[0]
    about = About(
        tuple(names), len(sets[0]), tuple(examples),
        np.array([len(one[first]) for one in examples.values()], np.int64),
        tuple(evaluated.output_name[number] for number in slopes), np.array(list(slopes), np.int64),
        np.array([len(one[first]) for one in slopes.values()], np.int64),
    )  # fmt: skip
    return about, layers


def _output_of(evaluated: Evaluated) -> NDArray[np.int32]:
    """Return the output that each image belongs to: by its label, or by the prediction without any label."""
    return evaluated.label if (evaluated.label >= 0).any() else evaluated.predicted


def _wanted(params: Params, evaluated: Evaluated) -> int | list[int]:
    if isinstance(params.outputs, int):
        return params.outputs
    names = list(evaluated.output_name)
    for name in params.outputs:
        if name not in names:
            meant = nearest(name, names)
            hint = f"did you mean '{meant}'?" if meant else f"the first are {', '.join(names[:20])}"
            raise UserError(f"concepts.outputs: the network has no output '{name}'; {hint}")
    return [names.index(name) for name in params.outputs]


def _announce(
    found: Mapping[str, Sequence[Path]],
    sets: Sequence[NDArray[np.int64]],
    asked: Mapping[int, NDArray[np.int64]],
    layers: Sequence[str],
) -> None:
    images = sum(map(len, found.values())) + sum(map(len, sets))
    slopes = len(layers) * sum(map(len, asked.values()))
    log.info("%d concepts: %d images to forward, %d gradients", len(found), images, slopes)


class _Looking:
    """The network, and what its layers make of images: each map in its mean over positions."""

    def __init__(
        self, weights: Path, activations: Activations, names: Sequence[str], manifest: ManifestFile, size: int
    ) -> None:
        self.preprocessing: Preprocessing = read_description(weights).preprocessing
        self._manifest, self._size = manifest, size
        network = place_network(load_network(weights), choose_device())
        described = describe_layers(network, self.preprocessing.input_size, self.preprocessing.channels)
        before = {layer.name: layer.before for layer in described}
        # As directions are: a layer that ends in a bound is looked at where it is entered.
        self._source: dict[str, str] = {
            name: (before[name] if activations.layer(name).ranked_by == INPUT else None) or name
            for name in names
        }
        self._runner = Runner(network, self._source.values())

    def batches(self, image_id: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """Yield images of the dataset as batches of the network's input.

        Raises
        ------
        UserError
            If none can be read.
        """
        images = originals(self._manifest, image_id)
        batches = Batches(images, self.preprocessing, self._size, threads=count_workers())
        for batch in batches:
            yield batch.inputs
        if not batches.kept:
            raise none_readable("concepts", len(image_id))

    def vectors(self, batches: Iterable[NDArray[np.float32]]) -> dict[str, Vectors]:
        """Return what each layer makes of some images, (n, U)."""
        found: dict[str, list[Vectors]] = {name: [] for name in self._source}
        for batch in batches:
            layers = self._runner.run(batch).layers
            for name, source in self._source.items():
                value = layers[source]
                found[name].append(_numpy(value.mean((2, 3)) if value.ndim == 4 else value))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def slopes(self, image_id: NDArray[np.int64], output: int) -> dict[str, Vectors]:
        """Return an output's derivative with respect to each layer's units, summed over positions, (n, U)."""

        def score(outputs: Outputs) -> Tensor:
            assert outputs.logits is not None, "the pass is not stopped"
            return outputs.logits[:, output]

        found: dict[str, list[Vectors]] = {name: [] for name in self._source}
        with progress(f"output {output}", total=len(image_id), unit="images") as bar:
            for batch in self.batches(image_id):
                for name, source in self._source.items():
                    value = self._runner.gradient(batch, score, source).value
                    found[name].append(_numpy(value.sum((2, 3)) if value.ndim == 4 else value))
                bar.advance(len(batch))
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _numpy(value: Tensor) -> Vectors:
    return value.detach().float().cpu().numpy()


def _numbers(about: About, layers: Mapping[str, LayerConcepts]) -> dict[str, object]:
    """Return each concept's accuracy in each layer, and how many outputs depend on it beyond chance."""
    tests = sum(np.isfinite(layer.slope_p_value).sum() for layer in layers.values())
    return {
        name: {
            concept: {
                "accuracy": layer.accuracy[row].mean(),
                "outputs": int((layer.slope_p_value[row] * tests < 0.05).sum()),
            }
            for row, concept in enumerate(about.concept)
        }
        for name, layer in layers.items()
    }


STAGE = Stage(
    name="concepts",
    run=run,
    params=Params,
    block="concepts",
    inputs={
        "activations": "artifacts/activations",
        "predictions": "artifacts/predictions.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
        "given": "inputs/concepts",
    },
    outputs={"out": "artifacts/concepts.h5", "metrics": "metrics/concepts.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
