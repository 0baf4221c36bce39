import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipeline.numerics.geometry import ReceptiveField, whole
from pipeline.numerics.upsampling import centres, upsample

FIELD = ReceptiveField((7, 11), (4, 8), (-3, -4), "exact")


def test_a_neuron_stands_at_the_middle_of_its_field():
    y, x = centres(FIELD, (3, 2), (16, 16))
    assert y.tolist() == [0.5, 4.5, 8.5]
    assert x.tolist() == [1.5, 9.5]


def test_where_all_see_the_whole_image_neurons_are_spread_over_it():
    y, x = centres(whole((12, 20), "global"), (3, 2), (12, 20))
    assert (y.tolist(), x.tolist()) == ([2, 6, 10], [5, 15])


@pytest.mark.parametrize("size", [(4, 5), (1, 3), (1, 1)])
def test_spread_evenly_it_is_torch_s_bilinear_interpolation(size):
    values = np.random.default_rng(0).standard_normal(size)
    at = centres(whole((24, 40), "unknown"), size, (24, 40))
    found = upsample(values, at, np.arange(24) + 0.5, np.arange(40) + 0.5)
    expected = F.interpolate(torch.as_tensor(values)[None, None], (24, 40), mode="bilinear")[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-12)
