import numpy as np
import pytest
import torch

from pipeline.analyses.fooling.pixels import PixelNetwork, answers, rounded
from pipeline.images.network_input import normalise
from pipeline.layers.running import Runner
from tests.small.pixel_networks import GREY, PREPROCESSING, convolutional, pictures


@pytest.mark.parametrize(("preprocessing", "channels"), [(PREPROCESSING, 3), (GREY, 1)])
def test_logits_are_those_of_the_network_s_inputs_bit_for_bit(preprocessing, channels):
    network, given = convolutional(channels), pictures(5, channels)
    expected = Runner(network).run(normalise(given, preprocessing)).logits.numpy()
    asked = PixelNetwork(network, preprocessing, 5)
    np.testing.assert_array_equal(asked.logits(given), expected)
    np.testing.assert_array_equal(asked.logits(given.astype(np.float32)), expected)
    np.testing.assert_allclose(PixelNetwork(network, preprocessing, 2).logits(given), expected, rtol=1e-5)


@pytest.mark.parametrize(("preprocessing", "channels"), [(PREPROCESSING, 3), (GREY, 1)])
def test_slope_is_that_of_the_loss_against_shares_of_full_scale(preprocessing, channels):
    network, given = convolutional(channels), pictures(5, channels)
    output = np.array([0, 3, 1, 2, 2])
    shares = torch.from_numpy(given / 255).float().requires_grad_()
    mean, deviation = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    logits = network(((shares - mean) / deviation).permute(0, 3, 1, 2))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(output), reduction="sum").backward()
    slope, said = PixelNetwork(network, preprocessing, 2).slope(given, output)
    np.testing.assert_allclose(slope, shares.grad.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(said, logits.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_answers_are_the_largest_logit_and_its_probability():
    predicted, confidence = answers(np.array([[1000, 0, 0], [0, 0, np.log(2)]], np.float32))
    assert predicted.tolist() == [0, 2]
    np.testing.assert_allclose(confidence, [1, 0.5], rtol=1e-6)


def test_rounding_stays_in_range():
    assert rounded(np.array([-3.0, 0.6, 254.4, 300.0])).tolist() == [0, 1, 254, 255]
