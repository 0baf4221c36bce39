"""Where Grad-CAM lies over the input: about the centres of what the neurons see."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation

from pipeline.analyses.attribution.grad_cam import GradCam, last_map


def network_of(*more):
    """One unit that is the mean of 4 x 4 pixels every 4, seen by both classes, against each other."""
    conv = nn.Conv2d(1, 1, 4, stride=4, bias=False)
    linear = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        conv.weight.fill_(1 / 16)
        linear.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    return nn.Sequential(conv, nn.ReLU(), *more, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()


def lit(row, column):
    image = np.zeros((1, 1, 24, 16), np.float32)
    image[0, 0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
    return image


def cam_of(network, image, output=0, *, positive=True):
    cam = GradCam(network, last_map(network, (24, 16), 1), positive, 8)
    maps = cam.maps(image, np.array([output]))
    return maps[0], cam.last.over_input(maps)[0, 0]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 2), (5, 3)])
def test_it_is_largest_at_the_pixels_about_the_centre_of_the_neuron_that_answers(row, column):
    map_, over = cam_of(network_of(), lit(row, column))
    # The mean of a map of 6 x 4 positions hands each a 24th of the signal.
    expected = np.zeros((6, 4))
    expected[row, column] = 1 / 24
    np.testing.assert_allclose(map_, expected, rtol=1e-6)
    assert over.shape == (24, 16)
    y, x = np.argwhere(over == over.max()).mean(0)
    # At the edge it goes on beyond the outermost centre.
    assert (4 * row <= y < 4 * row + 4) and (4 * column <= x < 4 * column + 4)
    if 0 < row < 5:
        assert y == 4 * row + 1.5


def test_what_speaks_against_the_output_is_left_out_or_kept():
    assert not cam_of(network_of(), lit(1, 1), 1)[0].any()
    assert cam_of(network_of(), lit(1, 1), 1, positive=False)[0][1, 1] == pytest.approx(-1 / 24)


def test_gates_do_not_hide_where_a_neuron_looks():
    gated = network_of(SqueezeExcitation(1, 1))
    found = last_map(gated, (24, 16), 1)
    assert not found.is_spread
    np.testing.assert_array_equal(found.at[0], 2 + 4 * np.arange(6))


class Added(nn.Module):
    """Each position also sees the mean of all."""

    def forward(self, x):
        return x + x.mean((2, 3), keepdim=True)


def test_neurons_that_see_the_whole_image_are_spread_over_it():
    found = last_map(network_of(Added()), (24, 16), 1)
    assert found.is_spread
    np.testing.assert_array_equal(found.at[1], 2 + 4 * np.arange(4))
