"""Measure whether the maps of attribution methods are any good: deletion, shuffled weights, other classes."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline import store
from pipeline.analyses.attribution.deletion import Counts, Curves, curves, inputs_of, pixel_counts
from pipeline.analyses.attribution.given import OCCLUSION, Given, over_pixels, read_given
from pipeline.analyses.attribution.grad_cam import LastMap, last_map
from pipeline.analyses.attribution.importance import METHODS, Name
from pipeline.analyses.attribution.likeness import pixels_inside, rank_correlation
from pipeline.analyses.attribution.methods import forwards
from pipeline.analyses.attribution.orders import by_importance, from_the_middle, lots
from pipeline.analyses.attribution.scores import Maps, Scores
from pipeline.analyses.attribution.shuffling import Cascade, ShuffledMethods, depths
from pipeline.analyses.attribution.verdicts import verdicts_of
from pipeline.analyses.occlusion import Followed, Occluder, answers
from pipeline.formats import scorecard as formats
from pipeline.formats.manifest import open_manifest
from pipeline.formats.occlusion import Covered
from pipeline.formats.probes import read_pictured
from pipeline.formats.scorecard import CENTRE, RANDOM, About, Images, Likeness, Order, Scorecard
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import read_description
from pipeline.images.filling import filling
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_in import to_input
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, is_on_gpu, place_network
from pipeline.model.network import load_network
from pipeline.parallel.forks import map_forked
from pipeline.params import digest
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.blocks.scorecard import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
# Of an image, (H, W): which pixels lie in a box; None where it has none.
Inside = NDArray[np.bool_] | None

READ = ("probes", "manifest", "gradients", "occlusion")
# Of the shorter side of an input: the square whose blur is taken, where images are blurred.
BLUR = 0.25


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/scorecard.h5` and its metrics."""
    made_from = {"params": digest(params)}
    given: Given | Status = not_run("scorecard")
    if params.run:
        given = read_given(paths["gradients"], paths["occlusion"], params.probes)
    if isinstance(given, Status):
        leave(given, paths, stage="scorecard", version=formats.VERSION, made_from=made_from)
        return
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in READ}
    made_from["weights"] = description.digest
    network = place_network(load_network(paths["weights"]), choose_device())
    probes = read_pictured(paths["probes"])
    pictures = np.stack([probes[image_id].pixels for image_id in given.image_id.tolist()])
    inputs = normalise(pictures, description.preprocessing)
    work = Work(network, inputs, given, params, description.preprocessing)
    found = work.measure(_inside(paths["manifest"], given, description.preprocessing))
    formats.write_scorecard(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _inside(manifest: Path, given: Given, preprocessing: Preprocessing) -> list[Inside]:
    """Tell of each image which pixels of the input lie in a box; None, too, without a label to go with it."""
    with open_manifest(manifest) as file:
        (row, box), (width, height) = file.boxes(), file.size()
    found: list[Inside] = []
    for image_id, labelled in zip(given.image_id.tolist(), given.by_label.tolist(), strict=True):
        own = box[row == image_id] if labelled else box[:0]
        seen = to_input(own, int(width[image_id]), int(height[image_id]), preprocessing)
        found.append(pixels_inside(preprocessing.input_size, seen) if len(seen) else None)
    return found


@dataclass
class Work:
    """Measures what was given, on a network.

    Attributes
    ----------
    network
        In eval mode, on its device.
    inputs
        (P, C, H, W), normalised.
    given, params, preprocessing
        What is measured, and how.
    """

    network: nn.Module
    inputs: Maps
    given: Given
    params: Params
    preprocessing: Preprocessing

    def measure(self, inside: Sequence[Inside]) -> Scorecard:
        """Measure all, and say beforehand how much that is; `inside` by image."""
        size, given, params = self.preprocessing.input_size, self.given, self.params
        counts = pixel_counts(size[0] * size[1], params.steps)
        cascade = Cascade(self.network, self.inputs[:1], params.seed)
        shuffled = depths(len(cascade.names), params.layers)
        outputs = Runner(self.network).run(self.inputs[:1]).logits
        assert outputs is not None, "the network ran to its end"
        other = self._others(outputs.shape[1])
        maps = len(other) * len(shuffled) + int((other >= 0).sum())
        with self._announced(counts, maps) as bar:
            orders = self._orders(counts, inside, bar)
            likeness = self._likeness(cascade, shuffled, other, bar)
        about = About(
            tuple(given.maps), params.fill, size, outputs.shape[1],
            given.covered.window if given.covered else 0, cascade.names, params.repeats, params.seed,
        )  # fmt: skip
        shares = [np.nan if own is None else own.mean() for own in inside]
        images = Images(
            given.image_id, given.output, given.by_label, counts / counts[-1], np.array(shares), other,
            np.array(shuffled),
        )  # fmt: skip
        return Scorecard(about, images, orders, likeness)

    def _announced(self, counts: Counts, maps: int) -> AbstractContextManager[Bar]:
        """Say what it costs, and show how far it is."""
        methods, images = len(self.given.maps), len(self.inputs)
        deleted = images * self._deleted(counts)
        log.info(
            "%d images: %d inputs to forward as pixels go and come; %d maps anew by %d methods: %d inputs, "
            "and %d signals to send back",
            images, deleted, maps, methods, maps * self._each, maps * self._back,
        )  # fmt: skip
        return progress("measuring", total=deleted + maps * self._each, unit="inputs")

    def _deleted(self, counts: Counts) -> int:
        """Return how many inputs are forwarded for an image as its pixels go and come."""
        return inputs_of(len(self.given.maps) + 1 + self.params.repeats, counts)

    @property
    def _back(self) -> int:
        """How many signals all methods send back for a map each."""
        return sum(forwards(name, self.given.settings) for name in self._gradients())

    @property
    def _each(self) -> int:
        """How many inputs all methods forward for a map each."""
        covered = self.given.covered
        return self._back + (1 + len(covered.y) * len(covered.x) if covered else 0)

    def _gradients(self) -> list[Name]:
        return [name for name in METHODS if name in self.given.maps]

    def _orders(self, counts: Counts, inside: Sequence[Inside], bar: Bar) -> dict[str, Order]:
        """Delete and insert the pixels of each image in the order of each method, and in the others."""
        of = partial(self._ordered, Runner(self.network), counts, inside)
        values, hits = [], []
        for some, hit in self._mapped(of, range(len(self.inputs))):
            values.append(some)
            hits.append(hit)
            bar.advance(self._deleted(counts))
        (deletion, insertion), inside_box = np.stack(values, 2), np.array(hits, np.int8).T
        names = [*self.given.maps, CENTRE, RANDOM]
        return {name: Order(deletion[row], insertion[row], inside_box[row]) for row, name in enumerate(names)}

    def _mapped(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        trial = partial(_send_back, self.network, self.inputs[:1].repeat(self.params.batch_size, 0))
        return map_forked(function, items, trial=trial, here=is_on_gpu(self.network))

    def _ordered(
        self, runner: Runner, counts: Counts, inside: Sequence[Inside], place: int
    ) -> tuple[Curves, list[int]]:
        """Return of one image the curves (2, orders, counts), and whether its first pixels lie in a box."""
        size, image_id = self.preprocessing.input_size, int(self.given.image_id[place])
        lot = lots(image_id, size, self.params.repeats, self.params.seed)
        orders = [by_importance(maps[place], lot[0]) for maps in self.given.maps.values()]
        orders.append(from_the_middle(size, lot[0]))
        answer = partial(_probability, runner, int(self.given.output[place]))
        ways, image = np.stack([*orders, *lot]), self.inputs[place]
        found = curves(image, self._under(place), ways, counts, answer, self.params.batch_size)
        by_lot = found[:, len(orders) :].mean(1, keepdims=True)
        hits = [*(_hit(one[0], inside[place]) for one in orders), -1]
        return np.concatenate([found[:, : len(orders)], by_lot], 1), hits

    def _under(self, place: int) -> Maps:
        window = max(1, round(BLUR * min(self.preprocessing.input_size)))
        random = np.random.default_rng([self.params.seed, int(self.given.image_id[place])])
        return filling(self.inputs[place], self.params.fill, window, self.preprocessing, random)

    def _others(self, outputs: int) -> NDArray[np.int32]:
        """Return another output for each image that is looked at again, by lot; -1 where there is none."""
        own = self.given.output[: self.params.again]
        if outputs < 2:
            return np.full(len(own), -1, np.int32)
        ids = self.given.image_id[: len(own)].tolist()
        steps = [np.random.default_rng([self.params.seed, one, 1]).integers(1, outputs) for one in ids]
        return ((own + np.array(steps)) % outputs).astype(np.int32)

    def _likeness(
        self, cascade: Cascade, shuffled: Sequence[int], other: NDArray[np.int32], bar: Bar
    ) -> dict[str, Likeness]:
        """Compare maps with those after layers were shuffled, and with those of other outputs."""
        some = len(other)
        own = {name: maps[:some] for name, maps in self.given.maps.items()}
        steps = [(count, self.given.output[:some]) for count in shuffled]
        others = bool((other >= 0).all())
        if others:
            # First, while nothing is shuffled.
            steps.insert(0, (0, other))
        found = [_alike(own, maps) for maps in self.maps(cascade, steps, bar)]
        of_other = found.pop(0) if others else {name: np.full((2, some), np.nan) for name in own}
        return {name: Likeness(*np.stack([step[name] for step in found], 1), *of_other[name]) for name in own}

    @cached_property
    def _last(self) -> LastMap | None:
        """What Grad-CAM is of, which shuffled weights do not change; None where it was not asked for."""
        if "grad_cam" not in self.given.maps:
            return None
        return last_map(self.network, self.preprocessing.input_size, self.preprocessing.channels)

    def maps(
        self, cascade: Cascade, steps: Sequence[tuple[int, NDArray[np.int32]]], bar: Bar
    ) -> Iterator[dict[str, Maps]]:
        """Yield for each step the maps of the first images, by method.

        Parameters
        ----------
        cascade
            A copy of the network.
        steps
            How many of its layers are shuffled, ascending, and what is followed of the images (n,).
        bar
            Told of each input that was forwarded.
        """
        settings = replace(self.given.settings, batch_size=self.params.batch_size)
        of = partial(self._map, ShuffledMethods(cascade, self._last, settings))
        jobs = [(count, *one) for count, outputs in steps for one in enumerate(outputs.tolist())]
        found = self._mapped(of, jobs)
        for _, outputs in steps:
            maps = []
            for one in islice(found, len(outputs)):
                maps.append(one)
                bar.advance(self._each)
            yield {name: np.stack([one[name] for one in maps]) for name in maps[0]}

    def _map(self, methods: ShuffledMethods, job: tuple[int, int, int]) -> dict[str, Maps]:
        """Return the maps (H, W) of one image, by method."""
        count, place, output = job
        made, runner = methods.after(count)
        image, outputs = self.inputs[place : place + 1], np.array([output])
        found: dict[str, Maps] = {name: made[name].maps(image, outputs)[0] for name in self._gradients()}
        if self.given.covered is not None:
            found[OCCLUSION] = self._covered(runner, self.given.covered, place, output)
        return found

    def _covered(self, runner: Runner, covered: Covered, place: int, output: int) -> Maps:
        """Return the map (H, W) of occlusion, as that which was given was made."""
        image, followed = self.inputs[place], Followed(output, "", -1)
        random = np.random.default_rng([self.params.seed, int(self.given.image_id[place])])
        under = filling(image, self.given.fill, covered.window, self.preprocessing, random)
        occluder = Occluder(runner, covered.window, covered.stride, self.params.batch_size)
        fall = answers(runner.run(image[None]), followed).score - occluder.run(image, under, followed).score
        return over_pixels(fall.astype(np.float32), covered)


def _alike(own: Mapping[str, Maps], others: Mapping[str, Maps]) -> dict[str, NDArray[np.float64]]:
    """Return by method (2, n), the rank correlations of maps with others, and those of their magnitudes."""
    return {
        name: np.array([
            [rank_correlation(of(a), of(b)) for a, b in zip(maps, others[name], strict=True)]
            for of in (np.asarray, np.abs)
        ])
        for name, maps in own.items()
    }  # fmt: skip


def _send_back(network: nn.Module, inputs: Maps) -> None:
    """Send a signal back from the first output on a batch, which takes as much memory as all else here."""
    Scores(Runner(network), len(inputs)).gradient(inputs, np.zeros(len(inputs), np.int64))


def _probability(runner: Runner, output: int, batch: Maps) -> NDArray[np.float64]:
    logits = runner.run(batch).logits
    assert logits is not None, "the network ran to its end"
    return logits.double().softmax(1)[:, output].cpu().numpy()


def _hit(pixel: int, inside: Inside) -> int:
    """Tell whether a pixel lies in a box, 1 or 0; -1: there is none."""
    return -1 if inside is None else int(inside.flat[pixel])


def _numbers(found: Scorecard) -> dict[str, float | dict[str, float]]:
    """Return for each order the mean areas and hits, and of methods how alike their maps are to others."""
    numbers: dict[str, float | dict[str, float]] = {"images": len(found.images.image_id)}
    verdicts = verdicts_of(found)
    numbers["fail"] = sum(one.fails for one in verdicts.values())
    for name, order in found.orders.items():
        deletion, insertion = order.areas(found.images.share)
        own = {"deletion": float(deletion.mean()), "insertion": float(insertion.mean())}
        if (order.hit >= 0).any():
            own["pointing"] = float(order.hit[order.hit >= 0].mean())
        if name in verdicts:
            likeness = {"shuffled": verdicts[name].alike, "other": verdicts[name].other}
            own |= {of: one.mean for of, one in likeness.items() if one is not None}
        numbers[name] = own
    return numbers


STAGE = Stage(
    name="scorecard",
    run=run,
    params=Params,
    block="scorecard",
    inputs={
        "probes": "artifacts/probes.h5",
        "manifest": "artifacts/manifest.h5",
        "gradients": "artifacts/gradients.h5",
        "occlusion": "artifacts/occlusion.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/scorecard.h5", "metrics": "metrics/scorecard.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
