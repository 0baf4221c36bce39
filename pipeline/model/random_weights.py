"""A network whose weights have learned nothing."""

from copy import deepcopy

import torch
from torch import nn

WEIGHED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)


def with_random_weights(network: nn.Module, seed: int) -> nn.Module:
    """Return a copy of a network, its weights drawn anew.

    Those of dense layers and convolutions are normal with variance 2 / fan-in, so that rectifiers hand on
    what they are given (He et al., *Delving deep into rectifiers*, ICCV 2015), their biases zero. Other
    modules are reset by their own `reset_parameters`; of parameters without one, the values change places.

    Parameters
    ----------
    network
        On the CPU.
    seed
        Of the draw.
    """
    drawn = deepcopy(network)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in drawn.modules():
            _reset(module)
    return drawn


def _reset(module: nn.Module) -> None:
    if isinstance(module, WEIGHED):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif callable(reset := getattr(module, "reset_parameters", None)):
        reset()
    else:
        for parameter in module.parameters(recurse=False):
            values = parameter.flatten()
            parameter.copy_(values[torch.randperm(len(values))].reshape(parameter.shape))
