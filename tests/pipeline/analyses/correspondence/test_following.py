import numpy as np
import torch
from torch import nn

from pipeline.analyses.correspondence.following import Followed, ask, follow, follow_patches, grids, measured
from pipeline.analyses.correspondence.matching import match
from pipeline.analyses.correspondence.warps import Ranges
from pipeline.layers.layers import describe_layers
from pipeline.layers.running import Runner
from pipeline.receptive_field import receptive_fields

SIZE = (16, 20)
RANGES = Ranges(10, (0.9, 1.1), 0.1)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2)).eval()


def followed(count=2):
    rng = np.random.default_rng(0)
    return [
        Followed(
            rng.standard_normal((3, 3, *SIZE)).astype(np.float32), ask(RANGES, SIZE, (2, 7), 2.0, (0, number))
        )
        for number in range(count)
    ]


def test_every_warp_has_points_of_its_own_that_depend_on_the_image_alone():
    first, second = (ask(RANGES, SIZE, (2, 7), 2.0, (0, number)) for number in (0, 1))
    again = ask(RANGES, SIZE, (3, 7), 2.0, (0, 0))
    assert not np.array_equal(first[0].points, first[1].points)
    assert not np.array_equal(first[0].points, second[0].points)
    np.testing.assert_array_equal(again[1].points, first[1].points)
    np.testing.assert_array_equal(again[1].warp.matrix, first[1].warp.matrix)


def test_points_are_matched_image_by_image_and_warp_by_warp():
    made, images = network(), followed()
    layers = [layer for layer in describe_layers(made, SIZE) if layer.name in ("1", "2")]
    places = grids(layers, receptive_fields(made, SIZE), SIZE)
    found = follow(Runner(made, places, until="2"), places, images)
    with torch.no_grad():
        before, *after = made(torch.as_tensor(images[1].inputs)).numpy()
    for number, one in enumerate(after):
        alone = match(before, one, places["2"], images[1].asked[number])
        part = slice(14 + 7 * number, 21 + 7 * number)
        np.testing.assert_allclose(found["2"].error[part], alone.error, rtol=1e-6)
        np.testing.assert_array_equal(found["2"].place[part], alone.place)
    assert len(found["1"].hit) == len(measured(places["1"], images).floor) == 28


def test_no_error_is_below_the_floor():
    made, images = network(), followed()
    layers = [layer for layer in describe_layers(made, SIZE) if layer.name == "2"]
    places = grids(layers, receptive_fields(made, SIZE), SIZE)
    found, held = follow(Runner(made, places), places, images)["2"], measured(places["2"], images)
    assert (found.error >= held.floor).all()


def test_patches_find_what_was_not_moved():
    images = [
        Followed(np.repeat(one.inputs[:1], 3, 0), ask(Ranges(0, (1, 1), 0), SIZE, (2, 7), 2.0, (0, 0)))
        for one in followed()
    ]
    found = follow_patches(3, images)
    assert len(found.error) == 28 and (found.error[found.interior] < 1).mean() > 0.7
