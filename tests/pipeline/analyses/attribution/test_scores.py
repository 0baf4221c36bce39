import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.attribution.scores import Scores, parts
from pipeline.layers.running import Runner

INPUTS = np.random.default_rng(0).standard_normal((5, 1, 2, 2)).astype(np.float32)
OUTPUTS = np.array([0, 2, 1, 2, 0])


def scores(batch_size):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).eval()
    return network, Scores(Runner(network), batch_size)


def by_autograd(network, inputs, outputs):
    given = torch.as_tensor(inputs).requires_grad_()
    network(given)[torch.arange(len(given)), torch.as_tensor(outputs)].sum().backward()
    return given.grad.numpy()


@pytest.mark.parametrize("batch_size", [1, 2, 5, 9])
def test_each_image_has_the_gradient_of_its_own_output(batch_size):
    network, found = scores(batch_size)
    np.testing.assert_allclose(
        found.gradient(INPUTS, OUTPUTS), by_autograd(network, INPUTS, OUTPUTS), rtol=1e-5, atol=1e-7
    )
    expected = network(torch.as_tensor(INPUTS)).detach().numpy()[np.arange(5), OUTPUTS]
    np.testing.assert_allclose(found.values(INPUTS, OUTPUTS), expected, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_a_sum_over_variants_is_the_weighted_sum_of_their_gradients(batch_size):
    seen = []
    network, found = scores(batch_size)
    network[1].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    weights = np.array([0.5, -2, 3])
    total = found.summed(INPUTS, OUTPUTS, lambda place, number: INPUTS[place] + np.float32(number), weights)
    assert sum(seen) == 15
    assert max(seen) <= batch_size
    expected = sum(
        weight * by_autograd(network, INPUTS + np.float32(number), OUTPUTS)
        for number, weight in enumerate(weights)
    )
    np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-6)


def test_parts_are_all_of_it_in_order():
    assert [list(range(10))[some] for some in parts(10, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert not list(parts(0, 4))
