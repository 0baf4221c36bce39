"""Which activation functions have a largest value."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.layers.layers import describe_layers

BOUNDED = [
    nn.ReLU6(), nn.Hardtanh(), nn.Hardsigmoid(), nn.Sigmoid(), nn.Tanh(), nn.Softsign(), nn.LogSigmoid(),
    F.relu6, F.hardtanh, F.hardtanh_, F.hardsigmoid, F.softsign, F.logsigmoid, torch.sigmoid, torch.tanh,
    torch.special.expit, lambda x: x.sigmoid(), lambda x: x.tanh_(), lambda x: torch.clamp(x, 0, 6),
    lambda x: x.clamp(max=3), lambda x: x.clamp_max(1), lambda x: torch.clip(x, -1, 1),
]  # fmt: skip
# Of what enters hardswish and SiLU the order is not that of their outputs.
UNBOUNDED = [
    nn.ReLU(), nn.LeakyReLU(), nn.SiLU(), nn.GELU(), nn.Hardswish(), nn.ELU(), nn.Softplus(), nn.Mish(),
    F.relu, F.hardswish, F.silu, lambda x: torch.clamp(x, 0), lambda x: x.clamp(min=0),
    lambda x: x.clamp_min(0),
]  # fmt: skip


class Small(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
        self.activation = activation

    def forward(self, images):
        return self.head(self.activation(self.conv(images)).mean((2, 3)))


def ranked(activation):
    layers = describe_layers(Small(activation).eval(), 8)
    (found,) = [layer for layer in layers if layer.is_activation]
    return found


@pytest.mark.parametrize("activation", BOUNDED)
def test_a_largest_value_leads_to_the_input(activation):
    found = ranked(activation)
    assert found.is_bounded and found.by_input and found.before == "conv"


@pytest.mark.parametrize("activation", UNBOUNDED)
def test_without_a_largest_value_the_output_ranks(activation):
    assert not ranked(activation).by_input
