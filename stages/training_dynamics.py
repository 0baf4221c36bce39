"""Give every checkpoint of the training a sample of images, and keep how its layers answer."""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline import store
from pipeline.analyses.training_dynamics import forwarding
from pipeline.analyses.training_dynamics.course import Course, course
from pipeline.analyses.training_dynamics.forwarding import Answer, Held, Wanted, first_convolution
from pipeline.dataset.originals import none_readable, originals
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import KeptLayer, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.probes import read_probes
from pipeline.formats.status import Status, not_run
from pipeline.formats.training_dynamics import (
    COURSES,
    NO_EPOCH,
    NO_IMAGE,
    VERSION,
    About,
    Checkpoints,
    DynamicsWriter,
    LayerCourse,
    Sample,
    ShownMaps,
    new_dynamics,
)
from pipeline.formats.weights import Description, read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from pipeline.layers.choosing import choose_layers
from pipeline.layers.observer import Observer
from pipeline.model.device import choose_device, is_on_gpu, place_network
from pipeline.model.network import load_network
from pipeline.numerics.intervals import wilson
from pipeline.numerics.scratch import on_disk
from pipeline.numerics.smoothness import deviation_of_noise, smoothness
from pipeline.numerics.spreading import even_places
from pipeline.parallel.forks import map_forked
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.weights.checkpoints import fit_state, read_checkpoint
from pipeline.weights.saved import Saved, given_files, saved_checkpoints
from stages.blocks.training_dynamics import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

FINAL = "final"
NOTHING_KEPT = "no checkpoint of the training was kept; model.training.checkpoints says of which epochs"
NOTHING_GIVEN = (
    "the weights come from elsewhere and no checkpoint of their training was given; files in "
    "inputs/checkpoints/ are read in the order of their names"
)
ONE = "there is one checkpoint, and it is the network itself: nothing changes"


@dataclass(frozen=True)
class Images:
    """Which images are forwarded.

    Attributes
    ----------
    sample
        That all is measured on, ascending.
    shown
        The one whose maps are kept; None where there is none.
    evaluated
        What predictions.h5 says of the images of the activations.
    """

    sample: NDArray[np.int64]
    shown: int | None
    evaluated: Evaluated

    @property
    def every(self) -> NDArray[np.int64]:
        """All that are forwarded, ascending."""
        return np.union1d(self.sample, [] if self.shown is None else [self.shown]).astype(np.int64)


@dataclass(frozen=True)
class Step:
    """A checkpoint, and what it makes of the images."""

    saved: Saved
    answer: Answer
    smoothness: float
    of_noise: float


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/training_dynamics.h5` and its metrics.

    Raises
    ------
    UserError
        A checkpoint cannot be read or does not fit the network, no image can be read, or the disk is full.
    """
    made_from = {"params": digest(params)}
    description = read_description(paths["weights"]) if params.run else None
    status = not_run("training_dynamics") if description is None else None
    if description is not None:
        network = load_network(paths["weights"])
        steps = _steps(description, network, paths)
        status = _lacking(steps, description)
    if description is None or status is not None:
        assert status is not None
        leave(status, paths, stage=STAGE.name, version=VERSION, made_from=made_from)
        return
    made_from |= _made_from(paths, description, steps)
    images = _images(params, paths)
    preprocessing = description.preprocessing
    shape = (len(images.every), preprocessing.channels, *preprocessing.input_size)
    remedy = "lower training_dynamics.sample, or set training_dynamics.run: false"
    paths["out"].parent.mkdir(parents=True, exist_ok=True)
    with on_disk(paths["out"].parent, shape, np.float32, remedy=remedy) as room:
        held = Held(room)
        _hold(held, images, params, paths, preprocessing)
        numbers = _follow(params, paths, images, (network, held, steps), made_from)
    write_metrics(paths["metrics"], numbers)


def _steps(description: Description, network: nn.Module, paths: Mapping[str, Path]) -> list[Saved]:
    """Return the checkpoints; last the network, whose path is its folder, if the last file is another."""
    trained = description.training is not None
    saved = saved_checkpoints(paths["weights"], paths["given"], trained_here=trained)
    if trained and given_files(paths["given"]):
        log.warning("%s: not read, since the network was trained here", paths["given"])
    if saved:
        last = copy.deepcopy(network)
        fit_state(last, read_checkpoint(saved[-1].path), str(saved[-1].path))
        pairs = zip(last.state_dict().values(), network.state_dict().values(), strict=True)
        if not all(torch.equal(one, other) for one, other in pairs):
            saved.append(Saved(FINAL, None, paths["weights"]))
    return saved


def _lacking(steps: Sequence[Saved], description: Description) -> Status | None:
    """Return why there is no course to follow; None where there is."""
    if len(steps) > 1:
        return None
    if steps:
        return Status("not applicable", ONE)
    return Status("not applicable", NOTHING_GIVEN if description.training is None else NOTHING_KEPT)


def _made_from(paths: Mapping[str, Path], description: Description, steps: Sequence[Saved]) -> dict[str, str]:
    files = {step.path.name: store.digest(step.path) for step in steps if step.path.is_file()}
    found = {name: store.digest(paths[name]) for name in ("manifest", "predictions", "probes")}
    found["activations"] = store.digest(paths["activations"] / INDEX)
    return found | {"weights": description.digest, "checkpoints": digest(files)}


def _images(params: Params, paths: Mapping[str, Path]) -> Images:
    evaluated, probes = read_predictions(paths["predictions"]), read_probes(paths["probes"])
    known = open_activations(paths["activations"]).image_id
    if not np.array_equal(evaluated.image_id, known):
        raise UserError(f"{paths['predictions']}: stale, of other images; run predictions again")
    chosen = np.random.default_rng(params.seed).choice(known, min(params.sample, len(known)), replace=False)
    shown = None if isinstance(probes, Status) else int(probes.image_id[0])
    return Images(np.sort(chosen), shown, evaluated)


def _hold(
    held: Held, images: Images, params: Params, paths: Mapping[str, Path], preprocessing: Preprocessing
) -> None:
    """Decode every image once."""
    with open_manifest(paths["manifest"]) as manifest:
        wanted = originals(manifest, images.every)
        batches = Batches(wanted, preprocessing, params.batch_size, threads=count_workers())
        held.fill(batches)
    for image_id, error in batches.skipped:
        log.warning("image %d cannot be read any more: %s", image_id, error)
    if not np.isin(held.image_id, images.sample).any():
        raise none_readable("training_dynamics", len(images.sample))


def _follow(
    params: Params,
    paths: Mapping[str, Path],
    images: Images,
    given: tuple[nn.Module, Held, Sequence[Saved]],
    made_from: Mapping[str, str],
) -> dict[str, float]:
    """Forward the images through every checkpoint, write what comes of it, and return the metrics."""
    network, held, saved = given
    activations = open_activations(paths["activations"])
    layers = [activations.layer(name) for name in activations.layers]
    shown = _shown(layers, params) if images.shown in held.image_id else {}
    sample = np.intersect1d(images.sample, held.image_id)
    wanted = Wanted(tuple(activations.layers), sample, images.shown, shown)
    log.info("%d checkpoints, each given %d images", len(saved), len(held.image_id))
    # The network's own tensors are mapped from its file.
    network = place_network(copy.deepcopy(network), choose_device())
    first = first_convolution(network)
    about = About(
        wanted.layers, images.evaluated.held_out, images.evaluated.basis, first[0] if first else "",
        NO_IMAGE if images.shown is None or not shown else images.shown, tuple(shown), params.seed,
    )  # fmt: skip
    with new_dynamics(paths["out"], about, made_from=made_from) as writer:
        steps: list[Step] = []
        for step in _answers(network, held, wanted, saved):
            for name, measured in step.answer.layers.items():
                writer.put_values(len(steps), name, measured.mean, measured.maxima)
            steps.append(_lightened(step))
        return _put(writer, steps, layers, wanted, _sample(images, paths, sample, steps), params.seed)


def _shown(layers: Sequence[KeptLayer], params: Params) -> dict[str, NDArray[np.int64]]:
    """Return the layers whose maps are shown, of `auto` the first and last, and units spread over each."""
    maps = [layer for layer in layers if layer.geometry.map_size != (1, 1)]
    names = [layer.name for layer in maps]
    if params.layers != "auto":
        names = choose_layers(params.layers, names, "training_dynamics.layers")
    else:
        names = [*names[:1], *names[-1:]]
    return {layer.name: even_places(layer.units, params.units) for layer in maps if layer.name in names}


def _answers(network: nn.Module, held: Held, wanted: Wanted, saved: Sequence[Saved]) -> Iterator[Step]:
    """Load and forward every checkpoint, one a job."""
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    given = network, Observer(network, wanted.layers), held, wanted
    answered, trial = partial(_answer, *given), partial(forwarding.rehearse, *given)
    with progress("following the training", total=len(saved), unit="checkpoints") as bar:
        here = is_on_gpu(network)
        for step in map_forked(answered, saved, trial=trial, here=here):
            yield step
            bar.advance()


def _answer(network: nn.Module, observer: Observer, held: Held, wanted: Wanted, saved: Saved) -> Step:
    state = load_network(saved.path).state_dict() if saved.path.is_dir() else read_checkpoint(saved.path)
    fit_state(network, state, str(saved.path))
    first = first_convolution(network)
    weight = first[1].weight.detach().float().cpu().numpy() if first else np.zeros((1, 1, 1, 1))
    answered = forwarding.answer(network, observer, held, wanted)
    return Step(saved, answered, smoothness(weight), deviation_of_noise(weight))


def _lightened(step: Step) -> Step:
    """Return a step without what is written already."""
    none = np.zeros((0, 0), np.float32)
    layers = {name: replace(one, mean=none, maxima=none) for name, one in step.answer.layers.items()}
    return replace(step, answer=replace(step.answer, layers=layers))


def _sample(
    images: Images, paths: Mapping[str, Path], sample: NDArray[np.int64], steps: Sequence[Step]
) -> Sample:
    """Say of the images that were forwarded which are right, and which of them count."""
    evaluated = images.evaluated
    rows = np.searchsorted(evaluated.image_id, sample)
    with open_manifest(paths["manifest"]) as manifest:
        split = np.array(manifest.split())[sample]
    counted = split == evaluated.held_out if evaluated.held_out else np.ones(len(sample), np.bool_)
    predicted = np.stack([step.answer.predicted for step in steps])
    return Sample(sample, evaluated.label[rows], counted, predicted)


def _put(
    writer: DynamicsWriter,
    steps: Sequence[Step],
    layers: Sequence[KeptLayer],
    wanted: Wanted,
    sample: Sample,
    seed: int,
) -> dict[str, float]:
    """Write what is known once every checkpoint was forwarded."""
    epochs = [NO_EPOCH if step.saved.epoch is None else step.saved.epoch for step in steps]
    smooth = (np.array([step.smoothness for step in steps]), np.array([step.of_noise for step in steps]))
    writer.put_all(
        Checkpoints(tuple(step.saved.name for step in steps), np.array(epochs, np.int64), *smooth), sample
    )
    found = []
    for layer in layers:
        measured = [step.answer.layers[layer.name] for step in steps]
        zeros, localisation = (np.stack([getattr(one, name) for one in measured]) for name in COURSES)
        units = wanted.units.get(layer.name)
        shown = None
        if units is not None:
            shown = ShownMaps(units, np.stack([step.answer.maps[layer.name] for step in steps]))
        size = layer.geometry.map_size
        writer.put_layer(layer.name, LayerCourse(layer.kind, size, zeros, localisation), shown)
        found.append((course(zeros, seed), course(localisation, seed)))
    return _numbers(sample, found, smooth[0])


def _numbers(
    sample: Sample, courses: Sequence[tuple[Course | None, Course | None]], smooth: NDArray[np.float64]
) -> dict[str, float]:
    """Return the metrics."""
    numbers: dict[str, float] = {"images": len(sample.image_id), "checkpoints": len(smooth)}
    for place, words in enumerate((("sparser", "denser"), ("more_localised", "less_localised"))):
        directions = [found.direction for one in courses if (found := one[place]) is not None]
        numbers |= {f"layers_{words[0]}": directions.count(1), f"layers_{words[1]}": directions.count(-1)}
    scored = int(sample.scored.sum())
    for place, when in ((0, "first"), (-1, "last")):
        if scored:
            right = int(sample.right[place])
            low, high = (float(end) for end in wilson(right, scored))
            share = {f"accuracy_{when}": right / scored}
            numbers |= share | {f"accuracy_{when}_low": low, f"accuracy_{when}_high": high}
        if np.isfinite(smooth[place]):
            numbers[f"smoothness_{when}"] = smooth[place]
    return numbers | {"scored": scored}


STAGE = Stage(
    name="training_dynamics",
    run=run,
    params=Params,
    block="training_dynamics",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "probes": "artifacts/probes.h5",
        "weights": "artifacts/weights",
        "given": "inputs/checkpoints",
    },
    outputs={"out": "artifacts/training_dynamics.h5", "metrics": "metrics/training_dynamics.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
