import copy

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.directions.pairs import Pair
from pipeline.analyses.directions.rotation import measure_rotations, random_rotation, rotation_change


def network(*between, seed=0):
    """Two dense layers, and what stands between."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 16), *between, nn.Linear(16, 5)).eval()


INPUTS = [torch.randn(20, 3, 2, 2, generator=torch.Generator().manual_seed(1)) for _ in range(2)]


def test_a_rotation_is_orthogonal_and_seeded():
    rotation = random_rotation(6, 3)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(6), atol=1e-6, rtol=0)
    assert torch.equal(rotation, random_rotation(6, 3))
    assert not torch.isclose(rotation, random_rotation(6, 4)).any()


def test_between_linear_layers_it_changes_nothing():
    found = measure_rotations(network(), INPUTS, 4, 0, images=40)
    assert found.activation == ("",)
    assert np.isnan(found.with_activation).all()
    assert found.without_activation[0] < 1e-4
    # Nor is it left out: without its undoing the logits are others.
    assert found.channels.tolist() == [16]


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.Tanh()])
def test_an_activation_between_makes_the_difference(activation):
    made = network(activation)
    before = copy.deepcopy(made.state_dict())
    found = measure_rotations(made, INPUTS, 4, 0, images=40)
    assert found.activation == ("2",)
    assert found.without_activation[0] < 1e-4
    if not isinstance(activation, nn.Tanh):
        assert found.with_activation[0] > 0.1
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_the_change_is_that_of_a_network_with_other_weights():
    """The rotation in the weights of both layers, by hand."""
    made = network(nn.ReLU())
    rotation = random_rotation(16, 5)
    other = copy.deepcopy(made)
    with torch.no_grad():
        other[1].weight.copy_(rotation @ made[1].weight)
        other[1].bias.copy_(rotation @ made[1].bias)
        other[3].weight.copy_(made[3].weight @ rotation.T)
        one, two = (torch.cat([net(batch) for batch in INPUTS]) for net in (made, other))
    expected = (two - one).norm() / one.norm()
    found = rotation_change(made, Pair("1", "2", "3", "3.weight"), INPUTS, 5)
    assert found.with_activation == pytest.approx(float(expected), rel=1e-4)
    assert found.channels == 16


def test_of_many_pairs_some_are_measured_and_where_there_is_none_it_is_said():
    deep = nn.Sequential(nn.Flatten(), *(nn.Linear(12, 12) for _ in range(7))).eval()
    found = measure_rotations(deep, INPUTS, 3, 0, images=40)
    assert found.pairs == 6
    assert found.first == ("1", "3", "6") or found.first == ("1", "4", "6")
    none = measure_rotations(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).eval(), INPUTS, 3, 0, images=40)
    assert none.first == ()
    assert "no two linear layers" in none.reason
