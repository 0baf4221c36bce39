"""Reconstruct the probes from their codes in some layers."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice, product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.analyses.inversion.choosing import Deep, inverted_layers
from pipeline.analyses.inversion.descent import Inversion, Pixels, noise, pixels_of
from pipeline.analyses.inversion.energy import Penalty, squared_error
from pipeline.analyses.inversion.weights import at_depth
from pipeline.formats.inversion import VERSION, About, InvertedLayer, new_inversion
from pipeline.formats.probes import read_pictures
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, device_and_dtype, is_on_gpu, place_network
from pipeline.model.network import load_network
from pipeline.numerics.rows import joined
from pipeline.parallel.forks import map_forked
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.inversion import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/inversion.h5` and its metrics.

    Raises
    ------
    UserError
        A layer is not there.
    """
    begun = begin(params, paths, stage="inversion", version=VERSION)
    if begun is None:
        return
    network = place_network(load_network(paths["weights"]), choose_device())
    deep = _layers(network, begun.preprocessing, params)
    shown = begun.probes.image_id[: params.probes]
    pixels = pixels_of(begun.preprocessing, device_and_dtype(network)[0])
    reconstructed = _Reconstructed(
        network, pixels, pixels.images(read_pictures(paths["probes"])[: len(shown)]), shown, params
    )
    about = About(tuple(one.layer.name for one in deep), _steps(params), params.restarts, params.sixth_norm)
    found = {}
    with new_inversion(
        paths["out"], about, shown, reconstructed.predicted, made_from=begun.made_from
    ) as writer:
        inversions = [reconstructed.inversion(one) for one in deep]
        reconstructed.announce(inversions)
        total = len(deep) * params.restarts * _steps(params) * len(shown)
        with progress("inverting", total=total, unit="steps") as bar:
            runs = reconstructed.runs(inversions, bar)
            for one, inversion in zip(deep, inversions, strict=True):
                layer, images = reconstructed.layer(one, inversion, runs)
                found[one.layer.name] = layer
                writer.put_layer(one.layer.name, layer, pixels.pictures(images))
    write_metrics(paths["metrics"], _numbers(found, reconstructed.predicted))


def _layers(network: nn.Module, preprocessing: Preprocessing, params: Params) -> list[Deep]:
    size, channels = preprocessing.input_size, preprocessing.channels
    layers, code = describe_layers(network, size, channels), code_layer(network, size, channels)
    return inverted_layers(layers, code, params.layers, params.most)


def _steps(params: Params) -> int:
    return sum(steps for steps, _ in params.schedule)


@dataclass(frozen=True)
class Run:
    """Of n images errors (n,), first and last energies (n, 2), rates (n,), and what came of them, float32."""

    error: NDArray[np.float32]
    energy: NDArray[np.float32]
    rate: NDArray[np.float32]
    image: NDArray[np.float32]


class _Reconstructed:
    """Reconstructs P probes, (P, C, h, w), layer by layer."""

    def __init__(
        self, network: nn.Module, pixels: Pixels, images: Tensor, image_id: NDArray[np.int64], params: Params
    ) -> None:
        self._network, self._pixels, self._images = network, pixels, images
        self._image_id, self._params = image_id, params
        self._classifier = Runner(network)
        starts = range(0, len(image_id), params.batch_size)
        self._batches = [slice(start, min(start + params.batch_size, len(image_id))) for start in starts]
        self.predicted = self._logits(images).argmax(1).astype(np.int32)

    def inversion(self, deep: Deep) -> Inversion:
        """Prepare the inversion of a layer."""
        name, params = deep.layer.name, self._params
        penalty = Penalty(at_depth(params.total_variation, deep.depth), params.sixth_norm)
        runner = Runner(self._network, [name], until=name)
        return Inversion(runner, name, penalty, params.schedule, self._pixels)

    def announce(self, inversions: Sequence[Inversion]) -> None:
        """Say what the work costs."""
        params = self._params
        log.info(
            "%d probes, %d layers, %d run%s each of %d steps: %d images forward and back",
            len(self._images), len(inversions), params.restarts, "s" * (params.restarts != 1), _steps(params),
            len(self._images) * len(inversions) * params.restarts * _steps(params),
        )  # fmt: skip

    def runs(self, inversions: Sequence[Inversion], bar: Bar) -> Iterator[Run]:
        """Yield what came of each batch, run by run, layer by layer."""
        last, first = inversions[-1], self._images[self._batches[0]]
        jobs = list(product(inversions, range(self._params.restarts), self._batches))
        found = map_forked(
            self._run, jobs, trial=lambda: last.energy(first, last.codes(first)),
            here=is_on_gpu(self._network),
        )  # fmt: skip
        for one in found:
            yield one
            bar.advance(len(one.error) * _steps(self._params))

    def layer(self, deep: Deep, inversion: Inversion, runs: Iterator[Run]) -> tuple[InvertedLayer, Tensor]:
        """Take the next runs, of a layer; return what is said of it, and the images (P, C, h, w)."""
        whole = [joined(list(islice(runs, len(self._batches)))) for _ in range(self._params.restarts)]
        columns = (np.stack([getattr(run, one.name) for run in whole], 1) for one in fields(Run))
        device = self._images.device
        errors, energy, rate, images = (torch.from_numpy(column).to(device) for column in columns)
        codes = torch.cat([inversion.codes(self._images[batch]).flatten(1) for batch in self._batches])
        errors[~codes.any(1)] = torch.nan
        place = torch.where(errors.isnan(), torch.inf, errors).argmin(1)
        shown = images[torch.arange(len(images)), place]
        logits = self._logits(shown)
        layer = InvertedLayer(
            codes.shape[1], deep.depth, inversion.penalty.total_variation, errors.cpu().numpy(),
            energy.cpu().numpy(), rate.cpu().numpy(), _apart(shown, self._images), _between(codes),
            logits.argmax(1).astype(np.int32), self._probability(logits),
        )  # fmt: skip
        return layer, shown

    def _run(self, job: tuple[Inversion, int, slice]) -> Run:
        """Invert the codes of a batch."""
        inversion, restart, batch = job
        images, ids = self._images[batch], self._image_id[batch].tolist()
        start = noise(images.shape[1:], ids, self._params.seed, restart).to(images.device)
        found = inversion.run(inversion.codes(images), start)
        energy = torch.stack([found.first, found.last], 1)
        return Run(*(one.cpu().numpy() for one in (found.error, energy, found.rate, found.image)))

    def _logits(self, images: Tensor) -> NDArray[np.float32]:
        parts = [self._classifier.run(self._pixels.inputs(images[batch])).logits for batch in self._batches]
        assert all(part is not None for part in parts), "the whole network has run"
        return torch.cat([part for part in parts if part is not None]).float().cpu().numpy()

    def _probability(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the softmax gives to each probe's own prediction."""
        shares = torch.as_tensor(logits).double().softmax(1).float().numpy()
        return shares[np.arange(len(shares)), self.predicted]


def _apart(images: Tensor, others: Tensor) -> NDArray[np.float32]:
    error = squared_error(images, others).sqrt()
    error[~others.flatten(1).any(1)] = torch.nan
    return error.cpu().numpy()


def _between(codes: Tensor) -> NDArray[np.float32]:
    """Return the median distance of the others' codes from each, (P, D), relative to its own length."""
    if len(codes) < 2:
        return np.full(len(codes), np.nan, np.float32)
    found = []
    for place, code in enumerate(codes):
        others, length = torch.cat([codes[:place], codes[place + 1 :]]), float(code.norm())
        median = float(np.median((others - code).norm(dim=1).cpu().numpy()))
        found.append(median / length if length else np.nan)
    return np.array(found, np.float32)


def _numbers(
    layers: Mapping[str, InvertedLayer], predicted: NDArray[np.int32]
) -> dict[str, float | dict[str, float]]:
    """Return each layer's median error over the probes, and the share of them that keep their class."""
    known = {name: layer.error[~np.isnan(layer.error)] for name, layer in layers.items()}
    return {
        "probes": len(predicted),
        "code_error": {name: float(np.median(error)) for name, error in known.items() if len(error)},
        "class_kept": {name: float((layer.predicted == predicted).mean()) for name, layer in layers.items()},
        "diverged": {name: float(layer.diverged) for name, layer in layers.items()},
    }


STAGE = Stage(
    name="inversion",
    run=run,
    params=Params,
    block="inversion",
    inputs={"probes": "artifacts/probes.h5", "weights": "artifacts/weights"},
    outputs={"out": "artifacts/inversion.h5", "metrics": "metrics/inversion.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
