"""On a linear network of two outputs the smallest change is the margin over the length of the weights."""

import numpy as np
import pytest

from pipeline.analyses.fooling.minimal import Search, smallest_change
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from tests.small.pixel_networks import PREPROCESSING, convolutional, pictures, random_linear

SEARCH = Search(solves=20, steps=60)


@pytest.mark.parametrize("row", range(4))
def test_change_is_about_the_smallest_there_is(row):
    network, weight, bias = random_linear()
    asked = PixelNetwork(network, PREPROCESSING, 4)
    # Far enough from black and white that the range of pixels is no obstacle.
    picture = (pictures(4)[row] // 2 + 64).astype(np.uint8)
    logits = asked.logits(picture[None])[0]
    target = int(1 - logits.argmax())
    found = smallest_change(asked, picture, target, SEARCH)
    least = abs(logits[0] - logits[1]) / np.linalg.norm(weight[0] - weight[1])
    assert least * 0.999 <= np.linalg.norm(found.change) <= 1.1 * least
    direction = (weight[target] - weight[1 - target]).ravel()
    cosine = found.change.ravel() @ direction / np.linalg.norm(found.change) / np.linalg.norm(direction)
    assert cosine > 0.99


def test_picture_is_the_target_s_within_the_range_and_after_rounding():
    asked = PixelNetwork(convolutional(), PREPROCESSING, 4)
    for number, picture in enumerate(pictures(6)):
        target = (int(answers(asked.logits(picture[None]))[0][0]) + 1 + number % 3) % 4
        found = smallest_change(asked, picture, target, SEARCH)
        share = picture / 255 + found.change
        assert share.min() >= -1e-6 and share.max() <= 1 + 1e-6
        moved = np.clip(255 * share, 0, 255).astype(np.float32)
        assert answers(asked.logits(moved[None]))[0][0] == target
        if np.isfinite(found.stretch):
            assert answers(asked.logits(found.picture[None]))[0][0] == target
            expected = np.clip(np.rint(picture + 255 * found.stretch * found.change), 0, 255)
            np.testing.assert_array_equal(found.picture, expected)


def test_where_no_change_does_the_picture_stays():
    network, weight, bias = random_linear()
    network[1].bias.data[0] += 1000
    picture = pictures(1)[0]
    found = smallest_change(PixelNetwork(network, PREPROCESSING, 1), picture, 1, Search(4, 10))
    assert np.isnan(found.penalty) and np.isnan(found.stretch)
    assert not found.change.any()
    np.testing.assert_array_equal(found.picture, picture)
