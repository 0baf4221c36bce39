"""A network whose weights are shuffled layer by layer, from its output down (Adebayo et al., NeurIPS 2018).

    cascade = Cascade(network, example, seed=0)
    cascade.names                       # of the layers with weights, the last one first
    network = cascade.shuffle(3)        # a copy, the last three shuffled

The values of a tensor are put into an order by lot, in place of others that are drawn: they keep their
distribution, whatever the layer is, and a network whose weights are random already remains one of its kind.
"""

from __future__ import annotations

import copy
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.analyses.attribution.grad_cam import LastMap
from pipeline.analyses.attribution.importance import Name
from pipeline.analyses.attribution.methods import Attribution, Settings, attributions_of
from pipeline.layers.running import Runner
from pipeline.model.device import device_and_dtype, place_inputs

Named = tuple[str, nn.Module]


@dataclass(frozen=True)
class WeighedLayer:
    """A module with weights that mix what comes in, and the modules that only scale what it puts out."""

    name: str
    modules: tuple[Named, ...]


class Cascade:
    """A copy of a network that is shuffled further and further.

    Parameters
    ----------
    network
        In eval mode, on its device; stays as it is.
    example
        (n, C, h, w) inputs: the layers are put in the order in which they run.
    seed
        Of the orders.

    Attributes
    ----------
    names
        Of the layers, the one that runs last first.
    """

    def __init__(self, network: nn.Module, example: np.ndarray, seed: int) -> None:
        self._network = copy.deepcopy(network)
        self._layers = _layers(self._network, example)[::-1]
        self._seed, self._done = seed, 0
        self._shuffled: set[int] = set()
        self.names = tuple(layer.name for layer in self._layers)

    @torch.no_grad()
    def shuffle(self, count: int) -> nn.Module:
        """Return the copy once the first `count` of `names` are shuffled; counts come ascending."""
        assert count >= self._done, "what is shuffled stays so"
        for layer in self._layers[self._done : count]:
            for name, module in layer.modules:
                self._shuffle(name, module)
        self._done = count
        return self._network

    def _shuffle(self, name: str, module: nn.Module) -> None:
        for tensor in _own(module):
            # Two modules may share a tensor.
            if tensor.data_ptr() not in self._shuffled:
                self._shuffled.add(tensor.data_ptr())
                # Tensors of one length get one order: of a normalisation, what belongs together.
                random = np.random.default_rng([self._seed, zlib.crc32(name.encode()), tensor.numel()])
                order = torch.from_numpy(random.permutation(tensor.numel())).to(tensor.device)
                tensor.copy_(tensor.flatten()[order].reshape(tensor.shape))


class ShuffledMethods:
    """The methods of attribution on a network whose layers are shuffled one after the other.

    Parameters
    ----------
    cascade
        Shuffles them.
    last, settings
        As of `attributions_of`.
    """

    def __init__(self, cascade: Cascade, last: LastMap | None, settings: Settings) -> None:
        self._cascade, self._last, self._settings = cascade, last, settings
        self._made: dict[int, tuple[dict[Name, Attribution], Runner]] = {}

    def after(self, count: int) -> tuple[dict[Name, Attribution], Runner]:
        """Return the methods, and what runs the network, once `count` layers are shuffled; ascending."""
        if count not in self._made:
            network = self._cascade.shuffle(count)
            self._made = {count: (attributions_of(network, self._last, self._settings), Runner(network))}
        return self._made[count]


def depths(layers: int, steps: int) -> list[int]:
    """Return how many layers are shuffled at each step: from the last one alone to all, or all at once."""
    if steps == 1:
        return [layers]
    return sorted({round(count) for count in np.linspace(1, layers, steps).tolist()})


def _layers(network: nn.Module, example: np.ndarray) -> list[WeighedLayer]:
    """Return the layers in the order in which they first run; what never does as a module comes first."""
    modules = {module: name for name, module in network.named_modules() if _own(module)}
    ran: dict[nn.Module, None] = {}
    hooks = [one.register_forward_pre_hook(lambda module, _: ran.setdefault(module)) for one in modules]
    try:
        with torch.no_grad():
            network(place_inputs(example, *device_and_dtype(network)))
    finally:
        for hook in hooks:
            hook.remove()
    layers: list[WeighedLayer] = []
    for module in [*(one for one in modules if one not in ran), *ran]:
        named = (modules[module], module)
        if layers and all(tensor.dim() < 2 for tensor in _own(module)):
            layers[-1] = WeighedLayer(layers[-1].name, (*layers[-1].modules, named))
        else:
            layers.append(WeighedLayer(modules[module], (named,)))
    return layers


def _own(module: nn.Module) -> list[Tensor]:
    """Return the tensors of real numbers that a module holds itself."""
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return [tensor for tensor in tensors if tensor.is_floating_point()]
