"""Spreads against NumPy and PyTorch, which hold everything at once."""

import numpy as np
import pytest
import torch

from pipeline.analyses.units.maxima import joined, spread
from pipeline.analyses.units.saturation import Ends

SHARES = (0.0, 0.01, 0.05, 0.5, 0.99, 1.0)


def maxima(images, units=6, seed=0):
    """After a ReLU, with many zeros; one unit dead, one that never changes, one all negative."""
    values = np.random.default_rng(seed).standard_normal((images, units)).astype(np.float32)
    values = np.maximum(values, 0)
    values[:, 0], values[:, 1], values[:, 2] = 0, 3.5, -1 - values[:, 2]
    return values


@pytest.mark.parametrize("images", [1, 2, 7, 1000])
def test_quantiles_are_those_of_pytorch(images):
    values = maxima(images)
    found = spread(values, None, SHARES, 10, Ends())
    shares = torch.tensor(SHARES, dtype=torch.float64)
    expected = torch.quantile(torch.as_tensor(values).double(), shares, dim=0).T.float()
    # But for the last bit, in which ways to interpolate differ.
    np.testing.assert_allclose(found.quantiles, expected.numpy(), rtol=2e-7)
    np.testing.assert_array_equal(found.active, (values > 0).sum(0))
    np.testing.assert_array_equal(found.smallest, values.min(0))
    np.testing.assert_array_equal(found.largest, values.max(0))


@pytest.mark.parametrize("images", [2, 7, 1000])
def test_histograms_are_those_of_numpy(images):
    values = maxima(images)
    found = spread(values, None, SHARES, 8, Ends())
    for unit in range(values.shape[1]):
        column = values[:, unit].astype(np.float64)
        if column.min() < column.max():
            expected = np.histogram(column, np.linspace(column.min(), column.max(), 9))[0]
            np.testing.assert_array_equal(found.histogram[unit], expected)
    assert (found.histogram.sum(1) == images).all()
    # A unit that never changes has no width: all its images are in one bin.
    assert found.histogram[1].tolist() == [0] * 7 + [images]


def test_the_histogram_is_of_what_images_are_ranked_by():
    values, keys = np.minimum(maxima(50), 0.5), maxima(50, seed=1)
    found = spread(values, keys, SHARES, 4, Ends())
    np.testing.assert_array_equal(found.histogram, spread(keys, None, SHARES, 4, Ends()).histogram)
    np.testing.assert_array_equal(found.high, keys.max(0))
    np.testing.assert_array_equal(found.largest, values.max(0))


def test_images_at_the_ends_are_counted():
    found = spread(np.array([[-1], [0], [6], [6]], np.float32), None, (0.5,), 2, Ends("clamp", -1, 6))
    assert (found.at_top.tolist(), found.at_bottom.tolist()) == ([2], [1])


def test_parts_are_joined_unit_by_unit():
    values = maxima(30)
    parts = [spread(values[:, rows], None, SHARES, 5, Ends()) for rows in (slice(2), slice(2, 6))]
    whole = spread(values, None, SHARES, 5, Ends())
    for name, expected in vars(whole).items():
        np.testing.assert_array_equal(getattr(joined(parts), name), expected)


def test_what_is_kept_does_not_hold_the_maxima():
    assert all(array.base is None or array.base.size == array.size for array in vars(_some()).values())


def _some():
    return spread(maxima(40), maxima(40, seed=1), SHARES, 5, Ends())
