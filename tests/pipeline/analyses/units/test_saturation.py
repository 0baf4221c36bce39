"""Functions recognised from pairs that PyTorch made."""

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.units.saturation import Ends, Recogniser

FUNCTIONS = {
    "sigmoid": (nn.Sigmoid(), 0.01, 0.99),
    "tanh": (nn.Tanh(), -0.98, 0.98),
    "softsign": (nn.Softsign(), -0.98, 0.98),
    "log-sigmoid": (nn.LogSigmoid(), -np.inf, -0.01),
    "hard sigmoid": (nn.Hardsigmoid(), 0, 1),
}
CLAMPS = {
    "ReLU6": (nn.ReLU6(), -np.inf, 6),
    "hardtanh": (nn.Hardtanh(-2, 3), -2, 3),
    "clamp_max": (lambda x: torch.clamp(x, max=2.5), -np.inf, 2.5),
}


def pairs(function, dtype=torch.float32, scale=4.0):
    inputs = scale * torch.randn(40, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    inputs = inputs.to(dtype)
    return inputs.float().numpy(), function(inputs).float().numpy()


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", [*FUNCTIONS, *CLAMPS])
def test_a_function_is_known_by_what_enters_and_leaves_it(name, precision):
    function, bottom, top = (FUNCTIONS | CLAMPS)[name]
    inputs, outputs = pairs(function, getattr(torch, precision))
    found = Recogniser(precision)
    for rows in (slice(25), slice(25, None)):
        found.add(inputs[rows], outputs[rows])
    assert found.ends() == Ends("clamp" if name in CLAMPS else name, bottom, top)


def test_a_clamp_that_cuts_nothing_off_has_no_end():
    found = Recogniser()
    found.add(*pairs(nn.ReLU6(), scale=0.1))
    assert found.ends() == Ends("clamp", -np.inf, np.inf)


@pytest.mark.parametrize("function", [lambda x: torch.sigmoid(2 * x), nn.GELU(), lambda x: nn.ReLU6()(x) / 2])
def test_what_is_no_such_function_is_not_known(function):
    found = Recogniser()
    found.add(*pairs(function))
    assert found.ends() == Ends()


def test_a_layer_that_is_always_zero_could_be_several():
    found = Recogniser()
    found.add(np.full((3, 2), -9, np.float32), np.zeros((3, 2), np.float32))
    assert not found.ends().function
