"""Cover squares of the probes, one place after the other, and keep what the network says then."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pipeline.analyses.occlusion import Answers, Followed, Occluder, answers, strongest_unit
from pipeline.dataset.originals import none_readable, originals
from pipeline.formats.manifest import open_manifest
from pipeline.formats.occlusion import VERSION, About, Covered, Occlusion, Whole, write_occlusion
from pipeline.formats.probes import Probes
from pipeline.images.filling import filling
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from pipeline.layers.layers import describe_layers
from pipeline.layers.running import Outputs, Runner
from pipeline.layers.selection import mapped_layers
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.parallel.forks import map_forked
from pipeline.parallel.processes import count_workers
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.occlusion import Params, pixels, window_sides
from stages.command import Stage, execute

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probe:
    """An image (C, H, W), normalised; what is followed of it, and the answers with nothing covered."""

    image_id: int
    image: NDArray[np.float32]
    followed: Followed
    whole: Answers
    by_label: bool


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/occlusion.h5` and its metrics.

    Raises
    ------
    UserError
        A window does not fit the network's input, or no probe can be read.
    """
    begun = begin(params, paths, stage="occlusion", version=VERSION, read=("manifest", "probes"))
    if begun is None:
        return
    probes, preprocessing = begun.probes, begun.preprocessing
    network = place_network(load_network(paths["weights"]), choose_device())
    layer = _last_map(network, preprocessing)
    runner = Runner(network, [layer] if layer else [])
    shown = probes.take(range(min(len(probes), params.probes)))
    with open_manifest(paths["manifest"]) as manifest:
        images = originals(manifest, shown.image_id)
    batches = Batches(images, preprocessing, params.batch_size, threads=count_workers())
    read = list(_read(runner, layer, shown, batches))
    sizes = _cover(runner, read, params, preprocessing)
    zero = tuple(255 * value for value in preprocessing.mean)
    about = About(layer, params.fill, zero, preprocessing.input_size)
    found = Occlusion(about, _whole(read), sizes)
    write_occlusion(paths["out"], found, made_from=begun.made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _last_map(network: nn.Module, preprocessing: Preprocessing) -> str:
    """Return the last convolution's map, after what acts on it; "" where there is none."""
    layers = describe_layers(network, preprocessing.input_size, preprocessing.channels)
    maps = mapped_layers(layers, "auto", "occlusion")
    return maps[-1].name if maps else ""


def _read(runner: Runner, layer: str, probes: Probes, batches: Batches) -> Iterator[Probe]:
    """Yield the probes that can be read, in their order, and what the network says of each.

    Raises
    ------
    UserError
        None can be read.
    """
    read: dict[int, Probe] = {}
    row = {image_id: row for row, image_id in enumerate(probes.image_id.tolist())}
    for batch in batches:
        outputs = runner.run(batch.inputs)
        for place, image_id in enumerate(batch.image_id):
            one = _of_one(outputs, place)
            label = int(probes.label[row[image_id]])
            followed = _followed(one, layer, label)
            image = np.ascontiguousarray(batch.inputs[place])
            read[image_id] = Probe(image_id, image, followed, answers(one, followed), label >= 0)
    for image_id, error in batches.skipped:
        log.warning("image %d cannot be read any more: %s", image_id, error)
    if not read:
        raise none_readable("occlusion", len(probes), "probes")
    yield from (read[image_id] for image_id in row if image_id in read)


def _of_one(outputs: Outputs, place: int) -> Outputs:
    """Return the outputs of one image of a batch."""
    assert outputs.logits is not None, "the network ran to its end"
    layers = {name: value[place : place + 1] for name, value in outputs.layers.items()}
    return Outputs(layers, outputs.logits[place : place + 1])


def _followed(outputs: Outputs, layer: str, label: int) -> Followed:
    assert outputs.logits is not None, "the network ran to its end"
    output = label if label >= 0 else int(outputs.logits[0].argmax())
    return Followed(output, layer, strongest_unit(outputs.layers[layer][0]) if layer else -1)


def _cover(
    runner: Runner, probes: Sequence[Probe], params: Params, preprocessing: Preprocessing
) -> tuple[Covered, ...]:
    """Cover every probe with every window, and say beforehand how much that is."""
    sides = window_sides(params, preprocessing.input_size)
    stride = pixels(params.stride, min(preprocessing.input_size))
    occluders = [Occluder(runner, side, stride, params.batch_size) for side in sides]
    places = [len(y) * len(x) for y, x in (one.starts(preprocessing.input_size) for one in occluders)]
    total = sum(places) * len(probes)
    log.info(
        "%d probes, squares of %s pixels at %s places: %d inputs to forward",
        len(probes), " and ".join(map(str, sides)), " and ".join(map(str, places)), total,
    )  # fmt: skip
    with progress("covering", total=total, unit="inputs") as bar:
        of, found = partial(_answers, params, preprocessing), []
        trial = partial(runner.run, np.stack([probes[0].image] * params.batch_size))
        jobs = list(product(occluders, probes))
        for one in map_forked(of, jobs, trial=trial, here=runner.is_on_gpu):
            found.append(one)
            bar.advance(one.score.size)
    own = [found[first : first + len(probes)] for first in range(0, len(found), len(probes))]
    return tuple(_covered(*pair, preprocessing) for pair in zip(occluders, own, strict=True))


def _answers(params: Params, preprocessing: Preprocessing, job: tuple[Occluder, Probe]) -> Answers:
    occluder, probe = job
    random = np.random.default_rng([params.seed, probe.image_id])
    under = filling(probe.image, params.fill, occluder.window, preprocessing, random)
    return occluder.run(probe.image, under, probe.followed)


def _covered(occluder: Occluder, found: Sequence[Answers], preprocessing: Preprocessing) -> Covered:
    y, x = occluder.starts(preprocessing.input_size)
    return Covered(
        occluder.window, occluder.stride, y, x,
        probability=np.stack([one.probability for one in found]).astype(np.float32),
        score=np.stack([one.score for one in found]).astype(np.float32),
        predicted=np.stack([one.predicted for one in found]).astype(np.int32),
        activation=np.stack([one.activation for one in found]).astype(np.float32),
    )  # fmt: skip


def _whole(probes: Sequence[Probe]) -> Whole:
    return Whole(
        image_id=np.array([one.image_id for one in probes], np.int64),
        output=np.array([one.followed.output for one in probes], np.int32),
        by_label=np.array([one.by_label for one in probes], np.bool_),
        unit=np.array([one.followed.unit for one in probes], np.int64),
        probability=np.concatenate([one.whole.probability for one in probes]).astype(np.float32),
        score=np.concatenate([one.whole.score for one in probes]).astype(np.float32),
        predicted=np.concatenate([one.whole.predicted for one in probes]).astype(np.int32),
        activation=np.concatenate([one.whole.activation for one in probes]).astype(np.float32),
    )


def _numbers(found: Occlusion) -> dict[str, float | dict[str, float]]:
    """Return how many probes lose their answer somewhere, and the median of the largest falls."""
    numbers: dict[str, float | dict[str, float]] = {"images": len(found.whole.image_id)}
    for size in found.sizes:
        changed = (size.predicted != found.whole.predicted[:, None, None]).any((1, 2))
        fall = found.whole.probability - size.probability.min((1, 2))
        numbers[str(size.window)] = {"changed": int(changed.sum()), "median_fall": float(np.median(fall))}
    return numbers


STAGE = Stage(
    name="occlusion",
    run=run,
    params=Params,
    block="occlusion",
    inputs={
        "probes": "artifacts/probes.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/occlusion.h5", "metrics": "metrics/occlusion.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
