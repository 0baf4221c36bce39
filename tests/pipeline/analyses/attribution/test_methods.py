"""Attribution methods held against captum's, and against what is known of them."""

import numpy as np
import pytest
import torch
from captum.attr import Deconvolution, GuidedBackprop, IntegratedGradients, LayerGradCam, Saliency
from torch import nn
from torchvision import models

from pipeline.analyses.attribution.grad_cam import GradCam, last_map
from pipeline.analyses.attribution.importance import METHODS
from pipeline.analyses.attribution.methods import Settings, attributions_of, forwards
from pipeline.layers.rules import NoRuleError

SETTINGS = Settings(steps=9, samples=4, batch_size=4)
ORACLES = {
    "saliency": lambda network, inputs, outputs: Saliency(network).attribute(inputs, outputs, abs=False),
    "deconvnet": lambda network, inputs, outputs: Deconvolution(network).attribute(inputs, outputs),
    "guided_backprop": lambda network, inputs, outputs: GuidedBackprop(network).attribute(inputs, outputs),
    "integrated_gradients": lambda network, inputs, outputs: IntegratedGradients(network).attribute(
        inputs, target=outputs, n_steps=SETTINGS.steps
    ),
}


def modular(network):
    """Let captum's hooks see every ReLU: none works in place."""
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network.eval().requires_grad_(False)


def close_to_largest(found, expected):
    """Within 1e-5 of the largest value: the maps themselves are of that order."""
    largest = float(np.abs(expected).max())
    assert largest > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * largest)


CASES = [
    pytest.param("alexnet", 95, id="alexnet"), pytest.param("vgg11", 64, id="vgg11"),
    pytest.param("alexnet", 224, id="alexnet-224", marks=pytest.mark.slow),
    pytest.param("vgg16", 224, id="vgg16-224", marks=pytest.mark.slow),
]  # fmt: skip


def example(name, side):
    torch.manual_seed(0)
    network = modular(getattr(models, name)(weights=None))
    inputs = torch.randn(2, 3, side, side).contiguous(memory_format=torch.channels_last)
    return network, inputs, np.array([7, 431])


@pytest.mark.parametrize("method", ORACLES)
@pytest.mark.parametrize(("name", "side"), CASES)
def test_values_are_those_of_captum(name, side, method):
    network, inputs, outputs = example(name, side)
    found = attributions_of(network, None, SETTINGS)[method].values(inputs.numpy(), outputs)
    expected = ORACLES[method](network, inputs.clone().requires_grad_(), torch.as_tensor(outputs))
    close_to_largest(found, expected.detach().numpy())


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize(("name", "side"), CASES)
def test_grad_cam_before_upsampling_is_that_of_captum(name, side, positive):
    network, inputs, outputs = example(name, side)
    last = last_map(network, (side, side), 3)
    found = GradCam(network, last, positive, 4).maps(inputs.numpy(), outputs)
    oracle = LayerGradCam(network, network.get_submodule(last.layer))
    expected = oracle.attribute(inputs, torch.as_tensor(outputs), relu_attributions=positive)
    assert found.shape[1:] == last.map_size
    close_to_largest(found, expected[:, 0].detach().numpy())


class Quadratic(nn.Module):
    """Class k: the sum of (k + 1) x² over all values, of which every method's answer is known."""

    def forward(self, x):
        squares = (x**2).flatten(1).sum(1)
        return torch.stack([squares, 2 * squares], 1)


INPUTS = np.random.default_rng(0).standard_normal((3, 2, 5, 4)).astype(np.float32)
OUTPUTS = np.array([1, 0, 1])
FACTOR = (OUTPUTS + 1)[:, None, None, None]


def quadratic(name, settings=SETTINGS, inputs=INPUTS, outputs=OUTPUTS):
    return attributions_of(Quadratic().eval(), None, settings)[name].values(inputs, outputs)


def test_the_gradient_of_a_square_is_twice_the_input():
    np.testing.assert_allclose(quadratic("saliency"), 2 * FACTOR * INPUTS, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_integrated_gradients_of_a_square_sum_to_the_score(steps):
    found = quadratic("integrated_gradients", Settings(steps=steps, batch_size=5))
    np.testing.assert_allclose(found, FACTOR * INPUTS**2, rtol=1e-5)


def test_smoothgrad_of_a_square_is_the_gradient_and_the_mean_noise():
    found = quadratic("smoothgrad", Settings(samples=400, noise=0.1, batch_size=64))
    noise = (found / (2 * FACTOR) - INPUTS) / np.ptp(INPUTS.reshape(3, -1), axis=1)[:, None, None, None]
    # The mean of 400 draws of a standard deviation of 0.1, at 120 values.
    assert noise.std() == pytest.approx(0.1 / 20, rel=0.25)
    assert abs(noise.mean()) < 4 * 0.1 / 20 / np.sqrt(noise.size)


def test_smoothgrad_of_an_image_is_the_same_beside_other_images_and_in_other_batches():
    alone = quadratic("smoothgrad", inputs=INPUTS[1:2], outputs=OUTPUTS[1:2])
    beside = quadratic("smoothgrad", Settings(samples=4, batch_size=3))
    np.testing.assert_allclose(beside[1], alone[0], rtol=1e-6)
    other = quadratic("smoothgrad", Settings(samples=4, seed=1))
    assert np.abs(other[1] - alone[0]).max() > 1e-3


def small(last=None):
    torch.manual_seed(1)
    features = [nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 2), last or nn.ReLU()]
    network = nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return network.eval().requires_grad_(False)


def test_all_methods_give_one_number_a_pixel_and_say_how_many_inputs_they_forward():
    network, seen = small(), []
    found = attributions_of(network, last_map(network, (5, 4), 2), SETTINGS)
    network[0].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    assert tuple(found) == METHODS
    for name, one in found.items():
        seen.clear()
        assert one.maps(INPUTS, OUTPUTS).shape == (3, 5, 4)
        assert sum(seen) == 3 * forwards(name, SETTINGS)


def test_what_is_no_rectifier_has_no_deconvnet():
    network = small(nn.SiLU())
    found = attributions_of(network, None, SETTINGS)
    for name in ("deconvnet", "guided_backprop"):
        with pytest.raises(NoRuleError, match="3: silu is no rectifier"):
            found[name].maps(INPUTS, OUTPUTS)
    assert found["saliency"].maps(INPUTS, OUTPUTS).any()


def test_a_network_without_a_map_has_no_grad_cam():
    network = nn.Sequential(nn.Flatten(), nn.Linear(40, 3)).eval()
    last = last_map(network, (5, 4), 2)
    assert last is None
    assert "grad_cam" not in attributions_of(network, last, SETTINGS)
