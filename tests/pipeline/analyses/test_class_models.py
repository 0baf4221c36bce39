import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.class_models import class_models
from pipeline.layers.running import Runner
from tests.small.corners import CLASSES, corner_network

SHAPE = (3, 4, 4)


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 3)).eval()


def test_of_a_linear_score_the_maximum_is_its_closed_form():
    network = linear()
    found = class_models(Runner(network), np.array([2, 0]), SHAPE, weight=0.3, steps=200)
    rows = network[1].weight.detach()[[2, 0]].reshape(2, *SHAPE).numpy()
    np.testing.assert_allclose(found.image, rows / (2 * 0.3), rtol=1e-4, atol=1e-6)
    energy = network[1].bias.detach()[[2, 0]].numpy() + (rows**2).sum((1, 2, 3)) / (4 * 0.3)
    np.testing.assert_allclose(found.energy[:, -1], energy, rtol=1e-6)
    np.testing.assert_allclose(found.energy[:, 0], network[1].bias.detach()[[2, 0]].numpy())


def test_chosen_weight_lets_the_image_of_a_linear_score_have_the_contrast_of_the_data():
    found = class_models(Runner(linear()), np.array([1]), SHAPE, weight=None, steps=100)
    assert np.sqrt((found.image**2).mean()) == pytest.approx(1, rel=1e-3)


def test_energy_is_the_score_less_the_square_of_the_image():
    found = class_models(Runner(linear()), np.array([1]), SHAPE, weight=0.5, steps=7)
    expected = found.score[:, -1] - 0.5 * (found.image.astype(np.float64) ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(found.energy[:, -1], expected, rtol=1e-6)
    assert found.energy.shape == (1, 8)


def test_a_trained_network_knows_each_class_in_its_image():
    network = corner_network()
    found = class_models(Runner(network), np.arange(CLASSES), (1, 32, 32), weight=None, steps=60)
    with torch.no_grad():
        said = network(torch.as_tensor(found.image)).softmax(1)
    assert said.argmax(1).tolist() == list(range(CLASSES)) and (said.diagonal() > 0.99).all()
    assert (np.diff(found.energy[:, 20:], axis=1) >= -1e-5 * np.abs(found.energy[:, -1:])).all()
    assert (found.energy[:, -1] > found.energy[:, 0]).all()


def test_classes_do_not_depend_on_their_neighbours_in_the_batch():
    network = corner_network()
    both = class_models(Runner(network), np.array([0, 3]), (1, 32, 32), weight=0.01, steps=20)
    alone = class_models(Runner(network), np.array([3]), (1, 32, 32), weight=0.01, steps=20)
    np.testing.assert_allclose(both.score[1], alone.score[0], rtol=1e-3)


def test_score_that_nothing_moves_keeps_the_zero_image():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)).eval()
    nn.init.zeros_(network[1].weight)
    found = class_models(Runner(network), np.array([1]), SHAPE, weight=None, steps=30)
    assert not found.image.any() and np.isfinite(found.energy).all() and found.weight[0] > 0
