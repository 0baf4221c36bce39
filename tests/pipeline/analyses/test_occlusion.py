"""Occlusion against captum's, on networks with random weights."""

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from torchvision import models

from pipeline.analyses.occlusion import Followed, Occluder, strongest_unit
from pipeline.images.filling import filling
from pipeline.layers.running import Runner
from pipeline.numerics.windows import mean_over_windows
from tests.small.corners import PREPROCESSING as PLANTED
from tests.small.corners import corner_images, corner_network, points_into


@pytest.mark.parametrize(
    ("name", "layer", "side"), [("alexnet", "features.11", 224), ("vgg11", "features.19", 112)]
)
def test_drop_is_captum_s_where_windows_lie_side_by_side(name, layer, side):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = models.get_model(name, weights=None).eval()
    image = torch.randn(1, 3, side, side)
    window, batch = side // 4, 4
    occluder = Occluder(Runner(network, [layer]), window, window, batch)
    under = np.zeros((3, side, side), np.float32)
    found = occluder.run(image[0].numpy(), under, Followed(7, layer, 3))

    def logits(inputs):
        # In the layout that a Runner uses; float64 afterwards, since nearly equal numbers are subtracted.
        return network(inputs.contiguous(memory_format=torch.channels_last)).double()

    for values, score in (
        (found.probability, lambda inputs: logits(inputs).softmax(1)[:, 7]),
        (found.score, lambda inputs: logits(inputs)[:, 7]),
    ):
        with torch.no_grad():
            before = score(image).item()
            expected = Occlusion(score).attribute(
                image, (3, window, window), strides=(3, window, window), baselines=0,
                perturbations_per_eval=batch,
            )[0, 0].numpy()  # fmt: skip
        pixels = np.kron(before - values, np.ones((window, window)))
        assert found.predicted.shape == (4, 4)
        assert np.abs(pixels - expected).max() <= 1e-5 * np.abs(expected).max()


def test_strongest_unit_has_the_largest_sum_and_not_the_largest_value():
    maps = torch.zeros(3, 4, 4)
    maps[1], maps[2, 0, 0] = 1, 9
    assert strongest_unit(maps) == 1


@pytest.mark.parametrize(("kind", "window", "stride"), [("zero", 8, 4), ("mean", 8, 3), ("noise", 12, 2)])
def test_it_points_to_the_corner_in_which_the_class_was_planted(kind, window, stride):
    network = corner_network()
    images, classes, boxes = corner_images(60, seed=1)
    with torch.no_grad():
        right = network(torch.as_tensor(images)).argmax(1).numpy() == classes
    assert right.mean() >= 0.95, "the network has to know the classes"
    occluder, random = Occluder(Runner(network), window, stride, 64), np.random.default_rng(0)
    hits = []
    for image, output, box in zip(images, classes.tolist(), boxes, strict=True):
        under = filling(image, kind, window, PLANTED, random)
        found = occluder.run(image, under, Followed(output, "", -1))
        y, x = occluder.starts(image.shape[1:])
        fall = mean_over_windows(-found.probability, y, x, window)
        hits.append(points_into(fall, box))
    assert np.mean(hits) >= 0.95
