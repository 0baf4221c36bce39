"""Grad-CAM (Selvaraju et al., ICCV 2017): the last convolution's map, units weighted by their gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pipeline.analyses.attribution.scores import Maps, Numbers, parts, score_of
from pipeline.layers.layers import describe_layers
from pipeline.layers.running import Runner
from pipeline.layers.selection import mapped_layers
from pipeline.numerics.geometry import Pair
from pipeline.numerics.upsampling import Centres, centres, upsample
from pipeline.receptive_field import receptive_fields


@dataclass(frozen=True)
class LastMap:
    """The last convolution's map, after what acts on it.

    Attributes
    ----------
    layer
        Its name.
    map_size, input_size
        Height and width of the map, and of the network's input in pixels.
    at
        The centres of what its rows and columns see.
    is_spread
        Whether every neuron sees, or may see, the whole image, even without gates: the centres are spread
        evenly over it then.
    """

    layer: str
    map_size: Pair
    input_size: Pair
    at: Centres
    is_spread: bool

    def over_input(self, maps: Maps) -> Maps:
        """Return maps (n, y, x) at the middle of each pixel of the input, (n, 1, h, w) float32."""
        rows, columns = (_middles(length) for length in self.input_size)
        spread = [upsample(one, self.at, rows, columns) for one in maps]
        return np.stack(spread)[:, None].astype(np.float32)


def last_map(network: nn.Module, input_size: Pair, channels: int) -> LastMap | None:
    """Find it; None where no convolution's output is a map of more than one position.

    Parameters
    ----------
    network
        In eval mode.
    input_size, channels
        Of its input.
    """
    maps = mapped_layers(describe_layers(network, input_size, channels), "auto", "gradients")
    if not maps:
        return None
    layer, field = maps[-1], maps[-1].receptive_field
    if field.is_whole:
        field = receptive_fields(network, input_size, channels, gates=False).get(layer.name, field)
    at = centres(field, layer.map_size, input_size)
    return LastMap(layer.name, layer.map_size, input_size, at, field.is_whole)


@dataclass(frozen=True)
class GradCam:
    """Weights the units of a map, each by the mean over positions of the score's gradient, and adds them up.

    Attributes
    ----------
    network
        In eval mode, on its device.
    last
        The map.
    positive
        Whether what speaks against the output is set to zero, as the paper does.
    batch_size
        Inputs in a batch.
    """

    network: nn.Module
    last: LastMap
    positive: bool
    batch_size: int

    def maps(self, inputs: Maps, outputs: Numbers) -> Maps:
        """Return the sums, (n, y, x) float32, before they are brought to the size of the input.

        Parameters
        ----------
        inputs
            (n, C, h, w), normalised.
        outputs
            (n,), which.
        """
        runner = Runner(self.network, [self.last.layer])
        return np.concatenate([
            self._some(runner, inputs[some], outputs[some]) for some in parts(len(inputs), self.batch_size)
        ])  # fmt: skip

    def _some(self, runner: Runner, inputs: Maps, outputs: Numbers) -> Maps:
        found = runner.gradient(inputs, score_of(outputs), of=self.last.layer)
        weights = found.value.mean((2, 3), keepdim=True)
        maps = (weights * found.outputs.layers[self.last.layer]).sum(1)
        return (maps.clamp(min=0) if self.positive else maps).float().cpu().numpy()


def _middles(length: int) -> NDArray[np.float64]:
    return np.arange(length, dtype=np.float64) + 0.5
