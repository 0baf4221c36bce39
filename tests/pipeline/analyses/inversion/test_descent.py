"""Inversion against what is known in closed form, and on torchvision's AlexNet."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from pipeline.analyses.inversion.descent import Inversion, noise, pixels_of
from pipeline.analyses.inversion.energy import Penalty
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.running import Runner

PAPER = ((100, 0.004), (200, 0.0004), (100, 0.00004))
SIXTH = 8e-10


UNEQUAL, EQUAL, GREY = (0.2, 0.25, 0.3), (0.25, 0.25, 0.25), (0.25,)


def inversion(network, layer, side, *, penalty, schedule=PAPER, std=UNEQUAL):
    mean = (0.45, 0.5, 0.55)[: len(std)]
    how = Preprocessing(input_size=side, resize=None, crop="center", mean=mean, std=std)
    pixels = pixels_of(how, torch.device("cpu"))
    return Inversion(Runner(network.eval(), [layer], until=layer), layer, penalty, schedule, pixels)


def pictures(count, side, channels=3):
    """Smooth pictures over the whole range, so that they have about the spread of photographs."""
    draw = np.random.default_rng(0)
    values = draw.standard_normal((count, 4, 4, channels)).repeat(side // 4, 1).repeat(side // 4, 2)
    return np.clip(127 + 60 * values, 0, 255).astype(np.uint8)


def optimum(image, weight):
    """Minimise ‖x - x₀‖²/‖x₀‖² + λ/2 ‖Dx‖²/σ² for an image of one channel (h, h): a linear system."""
    side, length, spread = len(image), (image**2).sum(), 68.92**2 * image.size
    step = np.eye(side, k=1)[:-1] - np.eye(side)[:-1]
    down, right = np.kron(step, np.eye(side)), np.kron(np.eye(side), step)
    matrix = np.eye(side**2) / length + weight / 2 * (down.T @ down + right.T @ right) / spread
    return np.linalg.solve(matrix, image.ravel() / length).reshape(side, side)


@pytest.mark.parametrize("side", [8, 32])
def test_a_network_that_is_the_identity_gives_the_image_back(side):
    found = inversion(nn.Sequential(nn.Identity()), "0", side, penalty=Penalty(0, 0), std=EQUAL)
    images = found.pixels.images(pictures(2, side))
    result = found.run(found.codes(images), noise((3, side, side), [5, 9], 0, 0))
    apart = (result.image - images).flatten(1).norm(dim=1) / images.flatten(1).norm(dim=1)
    assert apart.max() < 1e-3


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_with_smoothness_the_identity_gives_the_optimum_known_in_closed_form(weight):
    side = 16
    # What the network is given is the image divided by one deviation: the relative distance is the same.
    found = inversion(nn.Sequential(nn.Identity()), "0", side, penalty=Penalty(weight, 0), std=GREY)
    images = found.pixels.images(pictures(2, side, 1))
    result = found.run(found.codes(images), noise((1, side, side), [0, 1], 0, 0))
    for given, came in zip(images.double().numpy()[:, 0], result.image.double().numpy()[:, 0], strict=True):
        expected = optimum(given, weight)
        assert np.linalg.norm(came - expected) < 1e-2 * np.linalg.norm(expected)
        # It is far from the image itself, so that the test can tell.
        assert np.linalg.norm(expected - given) > 0.05 * np.linalg.norm(expected)


def test_each_image_is_inverted_as_if_it_were_alone():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 6, 5), nn.BatchNorm2d(6), nn.ReLU6())
    found = inversion(network, "2", 16, penalty=Penalty(1, SIXTH), schedule=((30, 0.004),))
    images = found.pixels.images(pictures(3, 16))
    # One of another size of code, which a shared norm would weigh against the others.
    images[0] *= 0.05
    codes, ids = found.codes(images), [4, 8, 2]
    together = found.run(codes, noise((3, 16, 16), ids, 0, 0))
    for place, one in enumerate(ids):
        alone = found.run(codes[place : place + 1], noise((3, 16, 16), [one], 0, 0))
        torch.testing.assert_close(alone.image[0], together.image[place], rtol=1e-3, atol=0.05)
        torch.testing.assert_close(alone.error[0], together.error[place], rtol=1e-3, atol=1e-5)


def test_noise_is_that_of_the_image_the_seed_and_the_restart():
    first = noise((3, 8, 8), [1, 2], 0, 0)
    assert torch.equal(noise((3, 8, 8), [2], 0, 0)[0], first[1])
    for other in (noise((3, 8, 8), [1], 1, 0), noise((3, 8, 8), [1], 0, 1), first[1:]):
        assert not torch.equal(other[0], first[0])
    assert first.std() == pytest.approx(68.92, rel=0.1)


def test_a_run_that_diverges_keeps_what_was_best_and_shows_it():
    found = inversion(
        nn.Sequential(nn.Identity()), "0", 8, penalty=Penalty(0, SIXTH), schedule=((60, 1000.0),)
    )
    images = found.pixels.images(pictures(1, 8))
    result = found.run(found.codes(images), noise((3, 8, 8), [0], 0, 0))
    assert result.diverged.all() and result.rate[0] == pytest.approx(0.01)
    assert torch.isfinite(result.image).all() and torch.isfinite(result.error).all()


def test_a_run_that_diverges_is_made_again_at_a_lower_rate_and_the_others_are_not():
    fast, slow = (
        inversion(nn.Sequential(nn.Identity()), "0", 8, penalty=Penalty(0, 0), schedule=((60, rate),))
        for rate in (3.0, 0.3)
    )
    images = fast.pixels.images(pictures(2, 8))
    # The larger an image, the flatter its relative error, so that this one does not diverge.
    images[1] *= 4
    codes, start = fast.codes(images), noise((3, 8, 8), [0, 1], 0, 0)
    result, expected = fast.run(codes, start), slow.run(codes[:1], start[:1])
    np.testing.assert_allclose(result.rate, [0.1, 1])
    assert not result.diverged.any()
    torch.testing.assert_close(result.image[0], expected.image[0], rtol=1e-3, atol=1e-2)


def test_momentum_is_zero_when_the_rate_changes():
    """One step, then one at another rate: each is its slope alone."""
    found = inversion(
        nn.Sequential(nn.Identity()), "0", 8, penalty=Penalty(1, SIXTH), schedule=((1, 0.004), (1, 0.0004))
    )
    images = found.pixels.images(pictures(1, 8))
    codes, place = found.codes(images), noise((3, 8, 8), [0], 0, 0)
    result = found.run(codes, place)
    for rate in (0.004, 0.0004):
        variable = place.clone().requires_grad_()
        down, right = variable.diff(dim=2), variable.diff(dim=3)
        apart = (variable / found.pixels.deviation - codes).square().sum() / codes.square().sum()
        spread = 68.92**2 * 3 * 8 * 8
        smooth = (down.square().sum() + right.square().sum()) / 2
        energy = apart + (smooth + SIXTH / 2 * variable.pow(6).sum()) / spread
        energy.backward()
        place = place - rate * spread * variable.grad
    torch.testing.assert_close(result.image, place, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("layer", ["features.0", "features.1", "features.2"])
def test_the_energy_of_alexnet_s_first_layers_falls_to_a_fifth(layer):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    side = 96
    network = models.alexnet(weights=None)
    found = inversion(network, layer, side, penalty=Penalty(1, SIXTH), schedule=((60, 0.004), (20, 0.0004)))
    images = found.pixels.images(pictures(1, side))
    result = found.run(found.codes(images), noise((3, side, side), [0], 0, 0))
    assert result.last[0] < 0.2 * result.first[0]
