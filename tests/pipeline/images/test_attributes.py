import numpy as np
import pytest
from scipy import ndimage, stats

from pipeline.images import attributes
from pipeline.images.attributes import measure

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (37, 53, 3)).astype(np.uint8)


def test_of_noise_they_are_what_scipy_finds():
    found = measure(NOISE)
    red, green, blue = NOISE.astype(np.float64).transpose(2, 0, 1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert found.brightness == pytest.approx(luma.mean() / 255, rel=1e-6)
    assert found.contrast == pytest.approx(luma.std() / 255, rel=1e-6)
    laplace = ndimage.convolve(luma, [[0, 1, 0], [1, -4, 1], [0, 1, 0]])[1:-1, 1:-1]
    assert found.sharpness == pytest.approx(laplace.var(), rel=1e-5)
    gradient = np.hypot(ndimage.sobel(luma, 0), ndimage.sobel(luma, 1))[1:-1, 1:-1] / 8
    assert found.edge_density == pytest.approx((gradient > 16).mean(), abs=1e-9)
    levels = np.bincount(np.rint(luma).astype(int).ravel())
    assert found.entropy == pytest.approx(stats.entropy(levels, base=2), rel=1e-6)
    first, second = red - green, (red + green) / 2 - blue
    expected = np.hypot(first.std(), second.std()) + 0.3 * np.hypot(first.mean(), second.mean())
    assert found.colourfulness == pytest.approx(expected, rel=1e-6)


def test_bands_change_nothing(monkeypatch):
    whole = measure(NOISE)
    monkeypatch.setattr(attributes, "BAND", 4 * NOISE.shape[1])
    banded = measure(NOISE)
    for name, value in vars(whole).items():
        assert getattr(banded, name) == pytest.approx(value, rel=1e-9), name


def test_of_one_grey_there_is_nothing_but_brightness():
    found = measure(np.full((5, 4, 3), 51, np.uint8))
    assert found.brightness == pytest.approx(0.2, rel=1e-6)
    assert (found.contrast, found.sharpness, found.edge_density, found.entropy) == pytest.approx(
        (0, 0, 0, 0), abs=1e-3
    )
    assert found.colourfulness == 0


def test_an_image_without_an_inside_has_no_sharpness():
    found = measure(NOISE[:2])
    assert np.isnan(found.sharpness) and np.isnan(found.edge_density)
    assert found.brightness > 0
