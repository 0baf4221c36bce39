"""Look for images that the network, and linear classifiers, take for what they are not."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import nn

from pipeline import store
from pipeline.analyses.fooling import breaking
from pipeline.analyses.fooling.ascent import Ascent
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.codes import break_held_out
from pipeline.analyses.fooling.linear import Classifier
from pipeline.analyses.fooling.making import Generations, ascents, changes, evolutions
from pipeline.analyses.fooling.minimal import Search
from pipeline.analyses.fooling.pixels import PixelNetwork
from pipeline.analyses.fooling.shown import (
    Attacks,
    equal_networks,
    show_as_they_are,
    transfer_of,
    try_on_others,
)
from pipeline.analyses.separability import fit_probe, make_task
from pipeline.dataset.as_seen import read_as_seen
from pipeline.formats import fooling as formats
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import open_activations
from pipeline.formats.fooling import About, Fooling, Method
from pipeline.formats.fooling_made import ENCODINGS
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.probes import read_pictures, read_probes
from pipeline.formats.separability import Separability, read_separability
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import Description, read_description
from pipeline.model.device import choose_device, is_on_gpu, place_network
from pipeline.model.network import load_network
from pipeline.numerics.intervals import wilson
from pipeline.numerics.rows import joined
from pipeline.numerics.spreading import evenly_spread
from pipeline.parallel.jobs import Jobs
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from pipeline.weights.checkpoints import fit_state, read_checkpoint
from pipeline.weights.saved import saved_checkpoints
from stages.blocks.fooling import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

ONE_OUTPUT = Status("not applicable", "the network has one output, so nothing is taken for something else")
STRIDE = 4.0  # grey levels, root mean square of a step of the ascent
CELLS = 16  # rows and columns that a classifier of pixels averages to, at most
STRENGTH = 0.01  # of its regularisation, scikit-learn's C
SOLVER_STEPS = 100
CHECKPOINTS = 5  # that attacks are tried on besides the network
FINAL = "final"

Pictures = NDArray[np.uint8]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Given:
    """What is attacked: the sample and the probes, and what the network is."""

    sample: Attacked
    probes: Attacked
    basis: str
    split: str
    network: nn.Module
    description: Description


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/fooling.h5` and its metrics.

    Raises
    ------
    UserError
        A checkpoint cannot be read or does not fit, no image can be read, or an artifact is stale.
    """
    made_from = {"params": digest(params)}
    found: Fooling | Status = not_run("fooling")
    if params.run:
        found = _fool(params, paths)
        inputs = ("manifest", "predictions", "probes", "separability")
        made_from |= {name: store.digest(paths[name]) for name in inputs}
        made_from["activations"] = store.digest(paths["activations"] / INDEX)
        made_from["weights"] = read_description(paths["weights"]).digest
    if isinstance(found, Status):
        leave(found, paths, stage="fooling", version=formats.VERSION, made_from=made_from)
        return
    formats.write_fooling(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _fool(params: Params, paths: Mapping[str, Path]) -> Fooling | Status:
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    probes = _probes(params, paths["probes"])
    if isinstance(probes, Status):
        return probes
    evaluated = read_predictions(paths["predictions"])
    if len(evaluated.output_name) < 2:
        return ONE_OUTPUT
    with threadpool_limits(1), open_manifest(paths["manifest"]) as manifest:
        given = _given(params, paths, manifest, evaluated, probes)
        asked = _Asked(given, params, _checkpoints(given, paths))
        asked.work()
        codes, pixels, layer, kind = None, None, "", ""
        separability = read_separability(paths["separability"])
        if not isinstance(separability, Status):
            activations = open_activations(paths["activations"])
            layer, kind, codes = break_held_out(separability, activations, params.seed)
            pixels = _pixels(separability, given, manifest, params, asked.levels)
    about = About(given.basis, given.split, params.steps, params.confidence, params.transfer, layer, kind)
    return replace(asked.found(about), codes=codes, pixels=pixels)


class _Asked:
    """All that the network is asked, in jobs of a batch or an image; `found` is there when they are done.

    Of `others` by name, networks and itself among them, each is tried on what is made for each.
    """

    def __init__(self, given: Given, params: Params, others: Mapping[str, nn.Module]) -> None:
        self._given, self._jobs, self._size = given, Jobs(), params.batch_size
        self._network = PixelNetwork(given.network, given.description.preprocessing, params.batch_size)
        # What takes longest comes first.
        self._make(params)
        self.levels = (0, *params.levels)
        attacks = Attacks(self._network, self.levels, params.steps, params.seed)
        self._attacks = self._by_method(attacks.attack, given.sample)
        self._fooled = self._by_method(attacks.show, given.probes)
        networks = {name: self._network.of(one) for name, one in others.items()}
        tried = partial(try_on_others, networks, given.sample, params.transfer)
        self._names, self._tried = tuple(networks), self._jobs.add(partial(tried, name) for name in networks)

    def _make(self, params: Params) -> None:
        network, probes, add = self._network, self._given.probes, self._jobs.add
        shape, seed = self._given.sample.picture.shape[1:], params.seed
        self._evolved = add(evolutions(network, shape, _generations(params, shape), seed))
        ascent = Ascent(params.confidence, params.ascent_steps, STRIDE)
        self._ascended = add(ascents(network, shape, params.classes, ascent, seed))
        changed = probes.take(np.arange(min(params.minimal, len(probes.key))))
        self._minimal = add(changes(network, changed, Search(params.solves, params.solver_steps), seed))

    def _by_method(
        self, attack: Callable[[Method, Attacked], Part], pictures: Attacked
    ) -> dict[Method, list[Part]]:
        return {
            method: self._jobs.add(partial(attack, method, part) for part in pictures.parts(self._size))
            for method in formats.METHODS
        }

    def work(self) -> None:
        """Do all jobs."""
        first = self._given.sample.take(np.arange(min(self._size, len(self._given.sample.key))))
        trial = partial(self._network.slope, first.picture, first.output)
        self._jobs.work(trial=trial, here=is_on_gpu(self._given.network))

    def found(self, about: About) -> Fooling:
        """Return what came of it."""
        given = self._given.sample
        return Fooling(
            about, formats.Sample(np.array(self.levels, np.int64), given.key, given.output),
            {method: joined(parts) for method, parts in self._attacks.items()},
            show_as_they_are(self._network, self._given.probes),
            {method: joined(parts) for method, parts in self._fooled.items()},
            joined(self._ascended), dict(zip(ENCODINGS, self._evolved, strict=False)),
            joined(self._minimal) if self._minimal else None, transfer_of(self._names, self._tried),
        )  # fmt: skip


def _given(
    params: Params, paths: Mapping[str, Path], manifest: ManifestFile, evaluated: Evaluated, probes: Attacked
) -> Given:
    """Draw held-out images and decode them; say how much there is to do."""
    description = read_description(paths["weights"])
    labelled = bool((evaluated.label >= 0).any())
    output = evaluated.label if labelled else evaluated.predicted
    wanted = output >= 0
    if evaluated.held_out:
        wanted &= np.array(manifest.split(), np.str_)[evaluated.image_id] == evaluated.held_out
    size = description.preprocessing.input_size
    most = max(1, min(params.images, params.pixels // prod(size)))
    rows = np.sort(np.random.default_rng(params.seed).permutation(np.flatnonzero(wanted))[:most])
    image_id = evaluated.image_id[rows]
    kept, pictures = read_as_seen(manifest, image_id, description.preprocessing, stage="fooling")
    image_id, output = image_id[kept], output[rows[kept]].astype(np.int32)
    network = place_network(load_network(paths["weights"]), choose_device())
    log.info(
        "%d images and %d probes of %d x %d pixels; about %d passes of one image there and back, %d there",
        len(image_id), len(probes.key), *size, _cost(params, len(image_id), len(probes.key)),
        _generations(params, size).passes,
    )  # fmt: skip
    sample, basis = Attacked(image_id, pictures, output), "label" if labelled else "predicted"
    return Given(sample, probes, basis, evaluated.held_out, network, description)


def _cost(params: Params, images: int, probes: int) -> int:
    """Return about how often an image is sent through the network and back."""
    attacks = (images + probes) * (params.steps * (len(params.levels) + 3) + max(params.levels) // 6)
    solved = min(params.minimal, probes) * params.solves * params.solver_steps * 5 // 4
    return attacks + solved + images * CHECKPOINTS * CHECKPOINTS


def _generations(params: Params, size: Sequence[int]) -> Generations:
    """Return how images (H, W, …) are evolved: with fewer offspring where they are large."""
    offspring = max(1, min(params.offspring, params.pixels // prod(size[:2])))
    return Generations(params.evolved, offspring, params.elites)


def _probes(params: Params, path: Path) -> Attacked | Status:
    """Return the first probes as they are attacked, or why there are none."""
    probes = read_probes(path)
    if isinstance(probes, Status):
        return probes
    shown = slice(params.probes)
    output = np.where(probes.label >= 0, probes.label, probes.predicted)[shown].astype(np.int32)
    return Attacked(probes.image_id[shown], read_pictures(path)[shown], output)


def _checkpoints(given: Given, paths: Mapping[str, Path]) -> dict[str, nn.Module]:
    """Return some checkpoints by name that differ from the network, and it; nothing if there are none."""
    trained = given.description.training is not None
    saved = saved_checkpoints(paths["weights"], paths["given"], trained_here=trained)
    networks = {}
    for one in evenly_spread(saved, CHECKPOINTS):
        network = copy.deepcopy(given.network)
        fit_state(network, read_checkpoint(one.path), str(one.path))
        if not equal_networks(network, given.network):
            networks[one.name] = network
    # The network itself comes last, after what it was.
    return networks | {FINAL: given.network} if networks else {}


def _pixels(
    found: Separability, given: Given, manifest: ManifestFile, params: Params, levels: tuple[int, ...]
) -> formats.PixelProbe | None:
    """Fit a linear classifier to pixels, and break it."""
    label = manifest.label()
    fit = breaking.alike(found.sample.fit, label[found.sample.fit], params.linear_images, params.seed)
    classes, preprocessing = found.sample.classes, given.description.preprocessing
    if len(np.unique(label[fit])) < len(classes):
        return None
    down, across = breaking.cells(*preprocessing.input_size, CELLS)
    kept, pictures = read_as_seen(manifest, fit, preprocessing, stage="fooling")
    fit = fit[kept]
    values = breaking.averaged(pictures, down, across)
    task = make_task(
        np.searchsorted(classes, label[fit]), (STRENGTH,), most_steps=SOLVER_STEPS, seed=params.seed
    )
    probe = fit_probe(values, task)
    classifier = breaking.PixelClassifier(Classifier(probe.weight, probe.intercept), down, across)
    rows = np.flatnonzero(np.isin(label[given.sample.key], classes) & ~np.isin(given.sample.key, fit))
    if not len(rows) or len(probe.weight) != len(classes):
        return None
    sample, probes = given.sample.take(rows), given.probes
    target = breaking.other_classes(classifier.predict(sample.picture), len(classes), params.seed)
    shown = breaking.other_classes(classifier.predict(probes.picture), len(classes), params.seed)
    predicted = breaking.predicted_at(classifier, sample.picture, target, levels)
    return formats.PixelProbe(
        probe.weight, probe.intercept, np.array([len(down), len(across)]), classes, fit, sample.key,
        np.searchsorted(classes, label[sample.key]), target, predicted, shown,
        *breaking.push_far_enough(classifier, probes.picture, shown, levels),
    )  # fmt: skip


def _numbers(found: Fooling) -> dict[str, object]:
    """Return accuracy against distance, the median of the smallest distances, and what else is one number."""
    output, level = found.sample.output, found.sample.level.tolist()
    numbers: dict[str, object] = {"images": len(output), "basis": found.about.basis}
    for method, one in found.attacks.items():
        right = (one.predicted == output[:, None]).sum(0)
        low, high = wilson(right, np.full(len(right), len(output)))
        shares = zip(level, right / len(output), low, high, strict=True)
        numbers[f"{method}_accuracy"] = {
            str(at): [float(share), float(first), float(last)] for at, share, first, last in shares
        }
        tried = one.smallest[one.smallest != formats.BEFORE]
        if len(tried) and (median := formats.median_distance(tried)) is not None:
            numbers[f"{method}_median_distance"] = median
    if found.minimal is not None and found.minimal.reached.any():
        numbers["minimal_distortion"] = float(np.nanmedian(found.minimal.distortion))
    reached = found.ascended.confidence >= found.about.confidence
    numbers["fooling_images"] = [int(reached.sum()), len(reached)]
    for encoding, evolved in found.evolved.items():
        sure = int((evolved.confidence >= found.about.confidence).sum())
        numbers[f"evolved_{encoding}"] = [sure, len(evolved.target)]
    return numbers


STAGE = Stage(
    name="fooling",
    run=run,
    params=Params,
    block="fooling",
    inputs={
        "probes": "artifacts/probes.h5",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "separability": "artifacts/separability.h5",
        "activations": "artifacts/activations",
        "weights": "artifacts/weights",
        "given": "inputs/checkpoints",
    },
    outputs={"out": "artifacts/fooling.h5", "metrics": "metrics/fooling.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
