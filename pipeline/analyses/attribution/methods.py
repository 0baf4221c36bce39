"""Attribution methods, each a function of inputs and outputs: which pixels an output's score depends on.

    attributions = attributions_of(network, last_map(network, size, channels), settings)
    maps = attributions["saliency"].maps(inputs, outputs)      # (n, h, w), the larger the more it matters

    saliency                the gradient of the score            (Simonyan et al., ICLR workshop 2014)
    deconvnet               by the rule of `pipeline.layers.rules`     (Zeiler and Fergus, ECCV 2014)
    guided_backprop         likewise                       (Springenberg et al., ICLR workshop 2015)
    integrated_gradients    along a line from the input of zeros         (Sundararajan et al., ICML 2017)
    smoothgrad              the mean over noisy inputs                               (Smilkov et al., 2017)
    grad_cam                of the last convolution's map                  (Selvaraju et al., ICCV 2017)

The score is the network's output for a class as it is, before any softmax. An input's result depends on that
input, its output and the settings, not on what else is asked for (but for last bits).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

from pipeline.analyses.attribution.grad_cam import GradCam, LastMap
from pipeline.analyses.attribution.importance import Name, importance
from pipeline.analyses.attribution.scores import Maps, Numbers, Scores
from pipeline.layers.running import Runner

Values = Callable[[Maps, Numbers], Maps]


@dataclass(frozen=True)
class Settings:
    """How the methods are carried out.

    Attributes
    ----------
    steps
        Of integrated gradients: points of Gauss and Legendre's rule.
    samples, noise
        Of SmoothGrad: noisy copies of an input, and the standard deviation of the Gaussian noise as a share
        of the range of the input's values.
    seed
        Of the noise.
    positive
        Whether Grad-CAM leaves out what speaks against the output.
    batch_size
        Inputs in a batch.
    """

    steps: int = 50
    samples: int = 50
    noise: float = 0.15
    seed: int = 0
    positive: bool = True
    batch_size: int = 32


@dataclass(frozen=True)
class Attribution:
    """A method on a network.

    Attributes
    ----------
    name
        The method's.
    values
        From inputs (n, C, h, w), normalised, and outputs (n,) to (n, C, h, w) float32; of Grad-CAM
        (n, 1, h, w). Raises `NoRuleError` where the method says nothing of the network.
    """

    name: str
    values: Values

    def maps(self, inputs: Maps, outputs: Numbers) -> Maps:
        """Return how much each pixel matters to its image's output, (n, h, w) float32."""
        return importance(self.name, self.values(inputs, outputs))


def attributions_of(network: nn.Module, last: LastMap | None, settings: Settings) -> dict[Name, Attribution]:
    """Return the methods on a network, by name.

    Parameters
    ----------
    network
        In eval mode, on its device.
    last
        Of `pipeline.analyses.attribution.grad_cam.last_map`; None: there is no Grad-CAM.
    settings
        How.
    """
    scores = Scores(Runner(network), settings.batch_size)
    found: dict[Name, Values] = {
        "saliency": scores.gradient,
        "deconvnet": lambda inputs, outputs: scores.gradient(inputs, outputs, "deconvnet"),
        "guided_backprop": lambda inputs, outputs: scores.gradient(inputs, outputs, "guided_backprop"),
        "integrated_gradients": lambda inputs, outputs: integrated(scores, inputs, outputs, settings.steps),
        "smoothgrad": lambda inputs, outputs: smoothed(scores, inputs, outputs, settings),
    }
    if last is not None:
        cam = GradCam(network, last, settings.positive, settings.batch_size)
        found["grad_cam"] = lambda inputs, outputs: last.over_input(cam.maps(inputs, outputs))
    return {name: Attribution(name, values) for name, values in found.items()}


def forwards(name: Name, settings: Settings) -> int:
    """Return how many inputs a method forwards, and sends signals back through, for one image."""
    return {"integrated_gradients": settings.steps, "smoothgrad": settings.samples}.get(name, 1)


def integrated(scores: Scores, inputs: Maps, outputs: Numbers, steps: int) -> Maps:
    """Return integrated gradients from the input of zeros, (n, C, h, w) float32.

    Their sum over an input is the score there less the score at zeros, but for what the rule of Gauss and
    Legendre with so many points, exact on polynomials only, gets wrong.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    at = ((nodes + 1) / 2).astype(np.float32)
    mean = scores.summed(inputs, outputs, lambda place, step: at[step] * inputs[place], weights / 2)
    return (inputs * mean).astype(np.float32)


def smoothed(scores: Scores, inputs: Maps, outputs: Numbers, settings: Settings) -> Maps:
    """Return the mean of the gradients at noisy copies of each input, (n, C, h, w) float32."""
    digests = [_words(one) for one in inputs]
    deviations = [settings.noise * float(one.max() - one.min()) for one in inputs]

    def noisy(place: int, sample: int) -> Maps:
        random = np.random.default_rng([settings.seed, sample, *digests[place]])
        noise = random.standard_normal(inputs[place].shape, np.float32)
        return inputs[place] + np.float32(deviations[place]) * noise

    weights = np.full(settings.samples, 1 / settings.samples)
    return scores.summed(inputs, outputs, noisy, weights).astype(np.float32)


def _words(image: Maps) -> list[int]:
    """Return an input's digest as numbers: its noise is to depend on nothing beside it."""
    found = hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
    return np.frombuffer(found, np.uint32).tolist()
