"""Class models (Simonyan, Vedaldi & Zisserman 2013, §2): the image that a class's score likes best.

argmax over images I of S_c(I) − λ‖I‖², S_c the unnormalised score, from the zero image, where the training
mean was subtracted. The source gives neither λ nor steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.layers.running import Outputs, Runner

Float64 = NDArray[np.float64]
_FIRST = 0.1  # share of the way that a step leads at first, and at most
# First steps, which are kept even where they lead down: at the zero image pools have many maxima.
_ANYHOW = 20
_FASTER, _SLOWER = 1.3, 0.4  # what the step is multiplied with where it led up, and where it did not
_ROUND_OFF = 1e-6  # of the energy: the score is a float32, and near a maximum steps change it by less


@dataclass(frozen=True)
class Models:
    """The images of n classes.

    Attributes
    ----------
    image : (n, C, H, W) float32
        As the network sees them: zero is the mean.
    weight : (n,) float64
        λ of each.
    score : (n, T + 1) float64
        S_c after each step, the first that of the zero image.
    energy : (n, T + 1) float64
        What is maximised; after the first steps it never falls by more than round-off.
    """

    image: NDArray[np.float32]
    weight: Float64
    score: Float64
    energy: Float64


def class_models(
    runner: Runner,
    outputs: NDArray[np.integer],
    shape: tuple[int, int, int],
    *,
    weight: float | None,
    steps: int,
) -> Models:
    """Climb from the zero image.

    Parameters
    ----------
    runner
        Runs the network to its logits.
    outputs : (n,)
        The classes, as outputs of the network; all in one batch.
    shape
        C, H, W of the input.
    weight
        λ; None for one that suits the class: first a climb is held at a root mean square of 1, one standard
        deviation of the input, and the λ is taken under which its image would rest where it ends.
    steps
        Of a climb. A step leads a share of the way to where the maximum would be if the gradient stayed as
        it is; but for the first ones, which are needed to leave a point where pools have many maxima at
        once, a step down is taken back and the share is made smaller.
    """
    which = torch.as_tensor(np.asarray(outputs, np.int64))
    own = _weights(runner, which, shape, steps) if weight is None else torch.full((len(which),), weight)
    climb = _Climb(runner, which, shape, own.double())
    scores, energies = [climb.score], [climb.energy]
    for number in range(steps):
        climb.step(anyhow=number < _ANYHOW)
        scores.append(climb.score)
        energies.append(climb.energy)
    courses = torch.stack(scores, 1).numpy(), torch.stack(energies, 1).numpy()
    return Models(climb.image.float().numpy(), climb.weight.numpy(), *courses)


def _weights(runner: Runner, outputs: Tensor, shape: tuple[int, int, int], steps: int) -> Tensor:
    """Return the λ of each class that lets its image come to rest at a root mean square of 1."""
    climb = _Climb(runner, outputs, shape, torch.ones(len(outputs), dtype=torch.float64))
    for _ in range(steps):
        climb.weight = climb.resting()
        climb.step(anyhow=True)
    return climb.resting()


class _Climb:
    """Images on their way up, one a class, all in float64 but for the network."""

    def __init__(self, runner: Runner, outputs: Tensor, shape: tuple[int, int, int], weight: Tensor) -> None:
        self._runner, self._outputs, self.weight = runner, outputs, weight
        self.image = torch.zeros((len(outputs), *shape), dtype=torch.float64)
        self.score, self._gradient = self._look(self.image)
        self.energy = self.score
        self._share = torch.full_like(weight, _FIRST)

    def resting(self) -> Tensor:
        """Return the λ of which the maximum has a root mean square of 1, were the gradient as it is here."""
        found = _norm(self._gradient) / (2 * self.image[0].numel() ** 0.5)
        # A score that nothing moves has no such λ, and any will do: its image stays zero.
        return torch.where(found > 0, found, torch.ones_like(found))

    def step(self, *, anyhow: bool) -> None:
        """Try a step of each image, and keep it where it leads up, or anyhow."""
        top = self._gradient / (2 * _each(self.weight))
        tried = self.image + _each(self._share) * (top - self.image)
        score, gradient = self._look(tried)
        energy = score - self.weight * tried.flatten(1).square().sum(1)
        kept = (energy > self.energy - _ROUND_OFF * self.energy.abs()) | anyhow
        self.image = torch.where(_each(kept), tried, self.image)
        self._gradient = torch.where(_each(kept), gradient, self._gradient)
        self.score, self.energy = torch.where(kept, score, self.score), torch.where(kept, energy, self.energy)
        if not anyhow:
            self._share = (self._share * torch.where(kept, _FASTER, _SLOWER)).clamp(max=_FIRST)

    def _look(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores, (n,), and their gradients, (n, C, H, W)."""

        def score(outputs: Outputs) -> Tensor:
            assert outputs.logits is not None, "the network ran to its end"
            return outputs.logits.gather(1, self._outputs.to(outputs.logits.device)[:, None])[:, 0]

        found = self._runner.gradient(image.float(), score)
        return found.score.double().cpu(), found.value.double().cpu().contiguous()


def _norm(values: Tensor) -> Tensor:
    return values.flatten(1).norm(dim=1)


def _each(values: Tensor) -> Tensor:
    """Return numbers of images, (n,), in a shape that goes with the images."""
    return values[:, None, None, None]
