import numpy as np
import pytest

from pipeline.analyses.fooling.ascent import Ascent, ascend, probability_of
from pipeline.analyses.fooling.pixels import PixelNetwork
from tests.small.pixel_networks import PREPROCESSING, SIDE, convolutional

HOW = Ascent(0.85, 200, 4.0)


@pytest.fixture(scope="module")
def asked():
    return PixelNetwork(convolutional(), PREPROCESSING, 3)


def starts():
    noise = np.random.default_rng(0).uniform(0, 255, (4, SIDE, SIDE, 3)).astype(np.float32)
    return noise, np.arange(4, dtype=np.int32)


def test_images_reach_the_confidence_as_a_file_holds_them(asked):
    noise, output = starts()
    picture, steps = ascend(asked, noise, output, HOW)
    assert picture.dtype == np.uint8
    assert (probability_of(asked.logits(picture), output) >= 0.85).all()
    assert (steps > 0).all() and (steps < 200).all()


def test_an_image_that_is_there_stays_as_it_is(asked):
    noise, output = starts()
    picture, _ = ascend(asked, noise, output, HOW)
    again, steps = ascend(asked, picture.astype(np.float32), output, HOW)
    np.testing.assert_array_equal(again, picture)
    assert (steps == 0).all()


def test_steps_come_to_an_end(asked):
    noise, output = starts()
    picture, steps = ascend(asked, noise, output, Ascent(1 - 1e-12, 2, 0.5))
    assert (steps == 2).all()
    assert np.abs(picture - noise).max() < 2 * 0.5 * np.sqrt(noise[0].size) + 0.5


def test_probability_is_the_softmax():
    logits = np.array([[0, np.log(3)], [800, 0]], np.float32)
    np.testing.assert_allclose(probability_of(logits, np.array([1, 0])), [0.75, 1], rtol=1e-6)
