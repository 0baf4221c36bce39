import pytest
import torch
from torch import nn

from pipeline.model.random_weights import with_random_weights


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.arange(50.0))

    def forward(self, x):
        return x * self.scale[:, None, None]


def network():
    torch.manual_seed(1)
    made = nn.Sequential(
        nn.Conv2d(3, 50, 5), nn.BatchNorm2d(50), nn.ReLU(), Scaled(), nn.Conv2d(50, 2, 1, bias=False)
    )
    made[1].running_mean.fill_(3.0)
    return made.eval().requires_grad_(False)


def test_weights_are_drawn_and_the_given_network_stays():
    given = network()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    drawn = with_random_weights(given, 0)
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())
    assert not torch.equal(drawn[0].weight, given[0].weight)
    assert drawn[0].weight.std().item() == pytest.approx((2 / 75) ** 0.5, rel=0.05)
    assert not drawn[0].bias.any() and not drawn[1].running_mean.any()
    assert not drawn.training


def test_parameters_without_a_rule_change_places():
    drawn = with_random_weights(network(), 0)[3].scale
    assert not torch.equal(drawn, torch.arange(50.0))
    torch.testing.assert_close(drawn.sort().values, torch.arange(50.0))


def test_the_seed_decides_and_nothing_else_is_disturbed():
    given = network()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, again, other = (with_random_weights(given, seed)[0].weight for seed in (0, 0, 1))
    assert torch.rand(1) == expected
    assert torch.equal(one, again) and not torch.equal(one, other)
