"""Attacks against captum's, and on a linear network, where the smallest distance is known."""

import io

import numpy as np
import pytest
import torch
from captum.robust import FGSM
from PIL import Image
from torch import nn
from torchvision import models

from pipeline.analyses.fooling.attacks import (
    BEFORE,
    NEVER,
    Attacked,
    curve,
    fgsm,
    pgd,
    smallest_by_halving,
    smallest_by_scan,
)
from pipeline.analyses.fooling.pixels import PixelNetwork, answers, rounded
from pipeline.images.preprocess import Preprocessing
from tests.small.pixel_networks import PREPROCESSING, convolutional, pictures, random_linear


class Normalised(nn.Module):
    """A network of shares of full scale, for captum."""

    def __init__(self, network, preprocessing):
        super().__init__()
        self.network = network
        self.mean = torch.tensor(preprocessing.mean)[:, None, None]
        self.deviation = torch.tensor(preprocessing.std)[:, None, None]

    def forward(self, shares):
        inputs = (shares - self.mean) / self.deviation
        return self.network(inputs.contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize(("name", "side"), [("alexnet", 96), ("vgg11", 32)])
def test_fgsm_is_captum_s_wherever_there_is_a_slope(name, side):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = models.get_model(name, weights=None).eval().requires_grad_(False)
    preprocessing = Preprocessing(input_size=(side, side), crop="center")
    given = np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype(np.uint8)
    output = np.array([7, 300], np.int32)
    asked = PixelNetwork(network, preprocessing, 2)
    slope, _ = asked.slope(given, output)
    moved = fgsm(asked)(Attacked(np.arange(2), given, output), np.array([9, 9]))
    attack = FGSM(
        Normalised(network, preprocessing),
        nn.CrossEntropyLoss(reduction="none"),
        lower_bound=0,
        upper_bound=1,
    )
    # captum moves nothing where the slope is below a number of its own, whatever its scale.
    attack.zero_thresh = 1e-6 * float(np.abs(slope).max())
    shares = torch.from_numpy(given / np.float32(255)).permute(0, 3, 1, 2)
    expected = attack.perturb(shares, 9 / 255, torch.from_numpy(output).long())
    there = np.abs(slope) > 1e-6 * np.abs(slope).max()
    assert there.mean() > 0.9
    expected = 255 * expected.detach().permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(np.rint(expected)[there], moved[there])
    np.testing.assert_allclose(expected[there], moved[there], atol=1e-3)


def attacked(count=12, network=None):
    given = pictures(count)
    asked = PixelNetwork(network or convolutional(), PREPROCESSING, 5)
    return asked, Attacked(np.arange(count) + 3, given, answers(asked.logits(given))[0])


def read_again(picture):
    """Return a picture as a PNG file gives it back."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_every_picture_lies_within_its_distance_and_fools_after_a_file(kind):
    asked, given = attacked()
    attack = fgsm(asked) if kind == "fgsm" else pgd(asked, steps=5, seed=0)
    levels = (0, 1, 4, 20, 100)
    said = curve(asked, attack, given, levels)
    for place, level in enumerate(levels[1:], start=1):
        moved = attack(given, np.full(12, level))
        assert moved.min() >= 0 and moved.max() <= 255
        assert np.abs(moved - given.picture).max() <= level
        whole = rounded(moved)
        assert np.abs(whole.astype(int) - given.picture).max() <= level
        again = np.stack([read_again(one) for one in whole])
        predicted, confidence = answers(asked.logits(again))
        np.testing.assert_array_equal(predicted, said.predicted[:, place])
        np.testing.assert_array_equal(confidence, said.confidence[:, place])
    assert (said.predicted[:, -1] != given.output).mean() > 0.8


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_a_distance_of_nothing_changes_nothing(kind):
    asked, given = attacked()
    attack = fgsm(asked) if kind == "fgsm" else pgd(asked, steps=5, seed=0)
    np.testing.assert_array_equal(attack(given, np.zeros(12, int)), given.picture)
    said = curve(asked, attack, given, (0, 3))
    np.testing.assert_array_equal(said.predicted[:, 0], given.output)
    np.testing.assert_array_equal(said.confidence[:, 0], answers(asked.logits(given.picture))[1])


def test_pgd_goes_further_than_one_step():
    asked, given = attacked(40)
    one, many = (curve(asked, attack, given, (0, 12)).predicted[:, 1] != given.output for attack in (
        fgsm(asked), pgd(asked, steps=20, seed=0)
    ))  # fmt: skip
    assert many.sum() >= one.sum() > 0


def known_distances(count):
    """Return pictures, and what it takes by hand: of two outputs the margin over the sum of |weights|."""
    network, weight, bias = random_linear()
    asked, given = attacked(count, network)
    difference, constant = weight[0] - weight[1], bias[0] - bias[1]
    found = []
    for picture, output in zip(given.picture, given.output, strict=True):
        towards = np.sign(difference) * (1 if output else -1)
        for level in range(256):
            moved = np.clip(picture + level * towards, 0, 255) / 255
            if ((difference * moved).sum() + constant > 0) != (output == 0):
                break
        found.append(level)
    return asked, given, np.array(found)


def test_smallest_distance_is_found_exactly_on_a_linear_network():
    asked, given, expected = known_distances(20)
    assert len(set(expected.tolist())) > 5
    found = smallest_by_scan(asked, fgsm(asked), given, 255)
    np.testing.assert_array_equal(found, expected)
    largest = int(np.median(expected))
    found = smallest_by_scan(asked, fgsm(asked), given, largest)
    np.testing.assert_array_equal(found, np.where(expected <= largest, expected, NEVER))


def test_halving_finds_what_scanning_finds():
    asked, given, expected = known_distances(20)
    levels = (0, 3, 10, 40)
    fooled = curve(asked, fgsm(asked), given, levels).predicted != given.output[:, None]
    found = smallest_by_halving(asked, fgsm(asked), given, levels, fooled)
    np.testing.assert_array_equal(found, np.where(expected <= 40, expected, NEVER))


def test_a_picture_that_is_wrong_as_it_is_needs_no_distance():
    asked, given = attacked()
    wrong = Attacked(given.key, given.picture, (given.output + 1) % 4)
    assert (smallest_by_scan(asked, fgsm(asked), wrong, 5) == BEFORE).all()
    fooled = curve(asked, fgsm(asked), wrong, (0, 5)).predicted != wrong.output[:, None]
    assert (smallest_by_halving(asked, fgsm(asked), wrong, (0, 5), fooled) == BEFORE).all()


def test_a_start_depends_on_the_seed_and_on_no_other_picture():
    asked, given = attacked(4)
    attack = pgd(PixelNetwork(convolutional(), PREPROCESSING, 1), steps=2, seed=0)
    level = np.full(4, 6)
    together = attack(given, level)
    np.testing.assert_array_equal(attack(given.take(np.array([2])), level[:1])[0], together[2])
    other = pgd(asked, steps=2, seed=1)(given, level)
    assert (other != together).any()
