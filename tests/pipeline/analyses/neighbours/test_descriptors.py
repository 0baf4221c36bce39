import numpy as np
import pytest

from pipeline.analyses.neighbours.descriptors import colour_vectors, lab, pixel_vectors

RNG = np.random.default_rng(0)


def thumbnails(sizes, side=12):
    """Noise, each image in the middle of its square; the ground is white, which no descriptor may see."""
    made = np.full((len(sizes), side, side, 3), 255, np.uint8)
    for one, (width, height) in zip(made, sizes, strict=True):
        top, left = (side - height) // 2, (side - width) // 2
        one[top : top + height, left : left + width] = RNG.integers(0, 120, (height, width, 3))
    return made


def test_pixels_are_means_over_areas_of_the_image_alone():
    sizes = np.array([(12, 12), (12, 5), (7, 12), (12, 12)])
    made = thumbnails(sizes)
    found = pixel_vectors(made, sizes, 4).reshape(-1, 4, 4, 3)
    for one, image, (width, height) in zip(found, made, sizes, strict=True):
        top, left = (12 - height) // 2, (12 - width) // 2
        inside = image[top : top + height, left : left + width] / 255
        # As many pixels each way that both sizes divide them: then an area is a whole number of pixels.
        fine = inside.repeat(4, axis=0).repeat(4, axis=1)
        expected = fine.reshape(4, height, 4, width, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(one, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("srgb", "expected"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
    ],
)
def test_lab_is_that_of_the_standard(srgb, expected):
    np.testing.assert_allclose(lab(np.array(srgb)), expected, atol=0.05)


def test_colours_are_root_shares_of_bins_of_lab():
    sizes = np.array([(12, 12), (12, 5)])
    made = thumbnails(sizes)
    found = colour_vectors(made, sizes, 5)
    np.testing.assert_allclose((found**2).sum(axis=1), 1)
    flat = made[1, 3:8].reshape(-1, 3).astype(float)
    middle = (np.floor(flat / 4) * 4 + 1.5) / 255
    cell = np.floor((lab(middle) - (0, -110, -110)) / (100, 220, 220) * 5).astype(int)
    _, counts = np.unique(cell, axis=0, return_counts=True)
    np.testing.assert_allclose(np.sort(found[1][found[1] > 0]), np.sort(np.sqrt(counts / 60)))


def test_greys_are_told_from_colours_however_bright():
    grey = np.arange(0, 256, 4, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(2, 2).repeat(3, 3)
    red = grey * np.array([1, 0, 0], np.uint8)
    size = np.full((64, 2), 2)
    bins = [set(np.argmax(colour_vectors(one, size, 9), axis=1)[20:].tolist()) for one in (grey, red)]
    assert not bins[0] & bins[1]
    assert len(bins[0]) <= 9
