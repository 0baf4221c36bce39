"""Evolution against all images that it ever showed, and against networks whose best image is known."""

import numpy as np
import pytest

from pipeline.analyses.fooling.ascent import probability_of
from pipeline.analyses.fooling.encodings import Cppn, Direct
from pipeline.analyses.fooling.evolving import RECORDS, Evolution, evolve
from pipeline.analyses.fooling.pixels import PixelNetwork
from tests.small.pixel_networks import PREPROCESSING, SIDE, convolutional, linear_network

SHAPE = (SIDE, SIDE, 3)
TARGET = np.array([0, 2, 3], np.int32)
ENCODINGS = {"direct": Direct(SHAPE), "cppn": Cppn(SHAPE)}


class Watched:
    """A network that remembers what it was shown."""

    def __init__(self, network):
        self._network, self.shown = PixelNetwork(network, PREPROCESSING, 5), []

    def logits(self, pictures):
        self.shown.append(pictures.copy())
        return self._network.logits(pictures)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_elite_is_the_best_image_that_was_ever_shown(encoding):
    asked = Watched(convolutional())
    found = evolve(asked.logits, ENCODINGS[encoding], Evolution(12, 9, TARGET), 0)
    # The last to be shown are the elites.
    *shown, elites = asked.shown
    assert [len(one) for one in shown] == [9] * 13
    np.testing.assert_array_equal(elites, found.picture)
    every = np.concatenate(shown)
    logits = asked.logits(every)
    generation = np.repeat(np.arange(13), 9)
    for place, target in enumerate(TARGET.tolist()):
        chance = probability_of(logits, np.full(len(every), target))
        best = int(chance.argmax())
        np.testing.assert_array_equal(found.picture[place], every[best])
        assert found.since[place] == generation[best]
        assert found.confidence[place] == np.float32(chance[best])
        # After each generation the best so far.
        so_far = [chance[generation <= one].max() for one in found.generation]
        np.testing.assert_array_equal(found.course[:, place], np.array(so_far, np.float32))
    assert (found.since > 0).any()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_best_never_falls_and_the_seed_gives_the_same(encoding):
    asked = PixelNetwork(convolutional(), PREPROCESSING, 5).logits
    how = Evolution(20, 6, TARGET)
    found = evolve(asked, ENCODINGS[encoding], how, 1)
    assert (np.diff(found.course, axis=0) >= 0).all() and (found.course[-1] > found.course[0]).any()
    again, other = (evolve(asked, ENCODINGS[encoding], how, seed) for seed in (1, 2))
    np.testing.assert_array_equal(again.picture, found.picture)
    assert (other.picture != found.picture).any()


def test_a_linear_network_is_brought_near_its_best_image_and_never_beyond():
    # Weights that are small, or the largest probability would be 1 before the best image is there.
    weight = 0.1 * np.random.default_rng(0).standard_normal((2, 3, SIDE, SIDE))
    bias = -0.5 * weight.sum((1, 2, 3))
    network = linear_network(weight.reshape(2, -1), bias)
    difference = (weight[0] - weight[1]).transpose(1, 2, 0)
    found = evolve(
        PixelNetwork(network, PREPROCESSING, 64).logits, Direct(SHAPE),
        Evolution(1500, 40, np.array([0, 1], np.int32)), 0,
    )  # fmt: skip
    for place, sign in enumerate((1, -1)):
        optimum = 255 * (sign * difference > 0)
        gap = sign * (bias[0] - bias[1])
        best, reached = (
            gap + sign * (difference * picture / 255).sum() for picture in (optimum, found.picture[place])
        )
        assert reached <= best
        # A random image is at about none of it.
        assert reached >= 0.9 * best
        assert found.confidence[place] <= 1


def test_no_more_generations_are_kept_than_are_drawn():
    asked = PixelNetwork(convolutional(), PREPROCESSING, 5).logits
    found = evolve(asked, Direct(SHAPE), Evolution(250, 1, TARGET), 0)
    assert len(found.generation) == RECORDS == len(found.course)
    assert found.generation[[0, -1]].tolist() == [0, 250]
