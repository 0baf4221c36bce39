"""From noise to an image with a given code, by gradient descent with momentum."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.analyses.inversion.energy import SPREAD, Penalty, square_of_spread, squared_error
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.running import Runner

log = logging.getLogger(__name__)

MOMENTUM = 0.9
# What a run that diverges is tried again with, as shares of the schedule's rates.
SLOWER = (0.1, 0.01)
# So many steps at a rate, one after the other.
Schedule = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Pixels:
    """Between what a network is given and pixels of 0 to 255 less the mean.

    Attributes
    ----------
    mean, deviation : (C, 1, 1) float32
        Of the network's normalisation, in pixels of 0 to 255.
    """

    mean: Tensor
    deviation: Tensor

    def inputs(self, images: Tensor) -> Tensor:
        """Return what the network is given for images."""
        return images / self.deviation

    def images(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return pictures (n, h, w, C) less the mean, (n, C, h, w)."""
        values = torch.tensor(pictures, device=self.mean.device).permute(0, 3, 1, 2)
        return values.float() - self.mean

    def pictures(self, images: Tensor) -> NDArray[np.float32]:
        """Return images with the mean, (n, h, w, C), not clipped."""
        return (images + self.mean).permute(0, 2, 3, 1).cpu().numpy()


@dataclass(frozen=True)
class Inverted:
    """What came of n images.

    Attributes
    ----------
    image : (n, C, h, w) float32
        Of all steps the one with the lowest energy; pixels of 0 to 255 less the mean.
    error : (n,) float32
        ‖Φ(x) - Φ₀‖ / ‖Φ₀‖ of it.
    first, last : (n,) float32
        The energy of the noise and that after the last step, which is not finite where the steps were too
        large for the network.
    rate : (n,) float32
        Share of the schedule's rates that it came from.
    """

    image: Tensor
    error: Tensor
    first: Tensor
    last: Tensor
    rate: Tensor

    @property
    def diverged(self) -> Tensor:
        """(n,) bool, whether the energy is larger after the last step than at first, or no number."""
        return ~(self.last <= self.first)

    def replaced(self, which: Tensor, others: "Inverted") -> "Inverted":
        """Return this with what came of other runs of the images `which`, (n,) bool."""
        columns = {name: values.clone() for name, values in vars(self).items()}
        for name, values in columns.items():
            values[which] = getattr(others, name)
        return Inverted(**columns)


@dataclass(frozen=True)
class Inversion:
    """A layer whose codes are inverted.

    Attributes
    ----------
    runner
        Stops at the layer, and shows it.
    layer
        Its name.
    penalty, schedule
        How.
    pixels
        What an image is to the network.
    """

    runner: Runner
    layer: str
    penalty: Penalty
    schedule: Schedule
    pixels: Pixels

    def codes(self, images: Tensor) -> Tensor:
        """Return the codes of images."""
        return self.runner.run(self.pixels.inputs(images)).layers[self.layer]

    def run(self, wanted: Tensor, start: Tensor) -> Inverted:
        """Invert codes; no image has a say in what becomes of another.

        An image whose energy does not fall at the rates of the schedule is run again at slower ones.

        Parameters
        ----------
        wanted
            (n, …), the codes.
        start
            (n, C, h, w), the noise.
        """
        found = self._descend(wanted, start, 1.0)
        for slower in SLOWER:
            again = found.diverged
            if not again.any():
                break
            log.info("%s: %d images again, at %g times the rates", self.layer, int(again.sum()), slower)
            found = found.replaced(again, self._descend(wanted[again], start[again], slower))
        return found

    def _descend(self, wanted: Tensor, start: Tensor, share: float) -> Inverted:
        images, best = start.clone(), start
        error, slope, first = self.energy(images, wanted)
        lowest, least = first, error
        energy = first
        for steps, rate in self.schedule:
            momentum = torch.zeros_like(images)
            for _ in range(steps):
                # Without σ², by which the energy's slopes are small, nothing would move.
                momentum = MOMENTUM * momentum - share * rate * square_of_spread(images) * slope
                images = images + momentum
                error, slope, energy = self.energy(images, wanted)
                better = energy < lowest
                lowest, least = torch.where(better, energy, lowest), torch.where(better, error, least)
                best = torch.where(better[:, None, None, None], images, best)
        return Inverted(best, least.sqrt(), first, energy, torch.full_like(first, share))

    def energy(self, images: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the squared error of each image (n,), its energy's slope (n, C, h, w), and that (n,)."""
        found = self.runner.gradient(
            self.pixels.inputs(images), lambda outputs: squared_error(outputs.layers[self.layer], wanted)
        )
        error = found.score.float()
        slope = found.value.float() / self.pixels.deviation + self.penalty.gradient(images)
        return error, slope, error + self.penalty(images)


def pixels_of(preprocessing: Preprocessing, device: torch.device) -> Pixels:
    """Return how a network's normalisation reads in pixels of 0 to 255."""
    mean, deviation = (
        torch.tensor(values, dtype=torch.float32, device=device)[:, None, None] * 255
        for values in (preprocessing.mean, preprocessing.std)
    )
    return Pixels(mean, deviation)


def noise(shape: Sequence[int], image_id: Sequence[int], seed: int, restart: int) -> Tensor:
    """Return what inversion starts from, (n, C, h, w): normal noise of the spread of an image.

    It depends on the image, and not on those beside it; `shape` is that of one, C, h, w.
    """
    drawn = [np.random.default_rng((seed, restart, one)).standard_normal(tuple(shape)) for one in image_id]
    return torch.as_tensor(np.stack(drawn) * SPREAD, dtype=torch.float32)
