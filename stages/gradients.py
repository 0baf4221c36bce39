"""Find which pixels of the probes the score of their class depends on, by gradients and what follows them."""

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pipeline.analyses.attribution.grad_cam import GradCam, LastMap, last_map
from pipeline.analyses.attribution.importance import Name
from pipeline.analyses.attribution.methods import Settings, attributions_of, forwards
from pipeline.analyses.attribution.scores import Maps, Scores, parts
from pipeline.formats.gradients import VERSION, About, Attributed, GradientsWriter, new_gradients
from pipeline.formats.probes import Probes, read_pictures
from pipeline.formats.status import Status
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.rules import NoRuleError, Rule, raised
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, is_on_gpu, place_network
from pipeline.model.network import load_network
from pipeline.parallel.forks import map_forked
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.gradients import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

RULES: dict[str, Rule] = {
    "saliency": "gradient", "deconvnet": "deconvnet", "guided_backprop": "guided_backprop",
}  # fmt: skip
# Share of the largest value within which two maps are one.
SAME = 1e-5
GRAD_CAM: Name = "grad_cam"
NO_MAP = "no convolution of the network puts out a map of more than one position"


class Images:
    """The probes that are asked for, and of each the output that is followed."""

    def __init__(
        self, probes: Probes, pictures: NDArray[np.uint8], params: Params, preprocessing: Preprocessing
    ) -> None:
        self.probes = probes.take(range(min(len(probes), params.probes)))
        self.by_label = self.probes.label >= 0
        self.output = np.where(self.by_label, self.probes.label, self.probes.predicted).astype(np.int32)
        self.preprocessing = preprocessing
        self._pictures, self._batch_size = pictures, params.batch_size

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.probes)

    def batches(self) -> Iterator[tuple[Maps, NDArray[np.int32]]]:
        """Yield inputs (n, C, H, W), as the network takes them, and outputs (n,)."""
        yield from (self._some(some) for some in parts(len(self), self._batch_size))

    def one(self, place: int) -> tuple[Maps, NDArray[np.int32]]:
        """Return the input (1, C, H, W) of one image, and its output (1,)."""
        return self._some(slice(place, place + 1))

    def _some(self, some: slice) -> tuple[Maps, NDArray[np.int32]]:
        return normalise(self._pictures[some], self.preprocessing), self.output[some]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/gradients.h5` and its metrics."""
    begun = begin(params, paths, stage="gradients", version=VERSION)
    if begun is None:
        return
    network = place_network(load_network(paths["weights"]), choose_device())
    images = Images(begun.probes, read_pictures(paths["probes"]), params, begun.preprocessing)
    with new_gradients(paths["out"], made_from=begun.made_from) as writer:
        about, found = _attribute(network, images, params, writer)
    if about.methods:
        write_metrics(paths["metrics"], _numbers(about, found))
    else:
        reason = f"none of the methods serves this network: {next(iter(about.refused.values()))}"
        status = Status("not applicable", reason)
        leave(status, paths, stage="gradients", version=VERSION, made_from=begun.made_from)


def _attribute(
    network: nn.Module, images: Images, params: Params, writer: GradientsWriter
) -> tuple[About, Attributed]:
    """Write the maps of all methods, and what stands beside them."""
    size, channels = images.preprocessing.input_size, images.preprocessing.channels
    last = last_map(network, size, channels) if GRAD_CAM in params.methods else None
    sums, refused = _write(network, last, images, params, writer)
    scores = Scores(Runner(network), params.batch_size)
    found = _beside(scores, images, sums.get("integrated_gradients"))
    writer.put_probes(found)
    fixed = tuple(name for name in sums if name in RULES and _is_fixed(scores, RULES[name], images))
    about = About(
        tuple(sums), refused, fixed, last.layer if last else "", last.map_size if last else (0, 0),
        last is not None and last.is_spread, size, params.steps, params.samples, params.noise, params.seed,
        params.positive,
    )  # fmt: skip
    writer.put_about(about)
    return about, found


def _write(
    network: nn.Module, last: LastMap | None, images: Images, params: Params, writer: GradientsWriter
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Write the maps; return by method the sum of each map, or why there are none."""
    settings = Settings(
        params.steps, params.samples, params.noise, params.seed, params.positive, params.batch_size
    )
    sums: dict[str, NDArray[np.float64]] = {}
    refused: dict[str, str] = {}
    names = [name for name in params.methods if name != GRAD_CAM or last is not None]
    with _announced(images, names, settings) as bar:
        found = _found(network, last, images, names, settings)
        for name in params.methods:
            if name not in names:
                refused[name] = NO_MAP
                continue
            own = islice(found, len(images))
            maps = _telling(bar, raised(own), forwards(name, settings))
            try:
                values = _spread(last, maps, writer) if name == GRAD_CAM and last is not None else maps
                sums[name] = writer.put_maps(name, len(images), values)
            except NoRuleError as error:
                refused[name] = str(error)
                deque(own, maxlen=0)
    return sums, refused


def _announced(images: Images, names: Sequence[Name], settings: Settings) -> AbstractContextManager[Bar]:
    """Say what it costs, and show how far it is."""
    each = sum(forwards(name, settings) for name in names)
    total = len(images) * each
    log.info(
        "%d probes, %d inputs each: %d to forward, and as many signals to send back", len(images), each, total
    )
    return progress("attributing", total=total, unit="inputs")


def _found(
    network: nn.Module, last: LastMap | None, images: Images, names: Sequence[Name], settings: Settings
) -> Iterator[Maps | NoRuleError]:
    """Yield by method what it gives for image after image: (1, H, W, C), of Grad-CAM its map (1, y, x)."""
    methods = attributions_of(network, None, settings)
    cam = last and GradCam(network, last, settings.positive, settings.batch_size)

    def of(job: tuple[Name, int]) -> Maps | NoRuleError:
        name, place = job
        try:
            if name == GRAD_CAM and cam:
                return cam.maps(*images.one(place))
            return methods[name].values(*images.one(place)).transpose(0, 2, 3, 1)
        except NoRuleError as error:
            return error

    def trial() -> None:
        inputs, outputs = images.one(0)
        scores = Scores(Runner(network), settings.batch_size)
        scores.gradient(inputs.repeat(settings.batch_size, 0), outputs.repeat(settings.batch_size))

    jobs = list(product(names, range(len(images))))
    return map_forked(of, jobs, trial=trial, here=is_on_gpu(network))


def _telling(bar: Bar, found: Iterator[Maps], inputs: int) -> Iterator[Maps]:
    """Yield maps, and tell after each how many inputs it took."""
    for one in found:
        yield one
        bar.advance(inputs)


def _spread(last: LastMap, found: Iterator[Maps], writer: GradientsWriter) -> Iterator[Maps]:
    """Write the maps of Grad-CAM, then yield them at the size of the input, (1, H, W, 1)."""
    maps = np.concatenate(list(found))
    writer.put_cams(maps)
    for one in maps:
        yield last.over_input(one[None]).transpose(0, 2, 3, 1)


def _beside(scores: Scores, images: Images, sums: NDArray[np.float64] | None) -> Attributed:
    """Return the scores of the probes and of zeros, and what integrated gradients are off by."""
    score, baseline = (
        np.concatenate([scores.values(factor * inputs, outputs) for inputs, outputs in images.batches()])
        for factor in (np.float32(1), np.float32(0))
    )
    error = np.full(len(images), np.nan) if sums is None else sums - (score - baseline)
    return Attributed(images.probes.image_id, images.output, images.by_label, score, baseline, error)


def _is_fixed(scores: Scores, rule: Rule, images: Images) -> bool:
    """Tell whether a rule sends the same back on every probe as on an input of zeros, and not nothing."""
    for inputs, outputs in images.batches():
        found, of_zeros = (scores.gradient(one, outputs, rule) for one in (inputs, 0 * inputs))
        if not np.abs(found - of_zeros).max() < SAME * np.abs(found).max():
            return False
    return True


def _numbers(about: About, found: Attributed) -> dict[str, float]:
    """Count, and say by how much integrated gradients miss the difference of the scores."""
    numbers: dict[str, float] = {
        "images": len(found.image_id), "methods": len(about.methods), "refused": len(about.refused),
    }  # fmt: skip
    error = found.relative_error
    if len(error):
        numbers |= {
            "completeness_median": float(np.median(error)),
            "completeness_largest": float(error.max()),
        }
    return numbers


STAGE = Stage(
    name="gradients",
    run=run,
    params=Params,
    block="gradients",
    inputs={"probes": "artifacts/probes.h5", "weights": "artifacts/weights"},
    outputs={"out": "artifacts/gradients.h5", "metrics": "metrics/gradients.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
