"""What lies under what is covered."""

import numpy as np

from pipeline.images.filling import filling
from pipeline.images.preprocess import Preprocessing

PREPROCESSING = Preprocessing(input_size=(8, 8), mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2))
IMAGE = np.random.default_rng(0).standard_normal((3, 8, 8)).astype(np.float32)


def fill(kind, seed=0):
    return filling(IMAGE, kind, 4, PREPROCESSING, np.random.default_rng(seed))


def test_zero_is_the_mean_that_was_subtracted_and_mean_the_image_s_own():
    assert not fill("zero").any()
    mean = fill("mean")
    assert (mean == mean[:, :1, :1]).all()
    np.testing.assert_allclose(mean[:, 0, 0], IMAGE.mean((1, 2)), rtol=1e-6)


def test_blur_is_smoother_and_keeps_each_colour():
    blurred = fill("blur")
    assert np.abs(np.diff(blurred)).mean() < 0.3 * np.abs(np.diff(IMAGE)).mean()
    flat = np.broadcast_to(np.float32([[[1]], [[2]], [[3]]]), (3, 8, 8))
    np.testing.assert_allclose(filling(flat, "blur", 4, PREPROCESSING, np.random.default_rng(0)), flat)


def test_noise_is_of_pixels_and_follows_its_seed():
    mean, std = (np.array(one)[:, None, None] for one in (PREPROCESSING.mean, PREPROCESSING.std))
    pixels = fill("noise") * std + mean
    assert pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6 and pixels.std() > 0.2
    assert (fill("noise") == fill("noise")).all() and (fill("noise") != fill("noise", 1)).any()
