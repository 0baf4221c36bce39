import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.correspondence import matching
from pipeline.analyses.correspondence.grids import Grid
from pipeline.analyses.correspondence.matching import Asked, match, yardsticks
from pipeline.analyses.correspondence.warps import Warp
from pipeline.numerics.upsampling import centres
from pipeline.receptive_field import receptive_fields

SIDE = 40
FILL = np.zeros(3, np.uint8)


def shift(y, x):
    return Warp(np.array([[1.0, 0.0, y], [0.0, 1.0, x]]))


def colours(seed=0):
    """Colours of which no two are parallel: each has a direction of its own."""
    drawn = np.random.default_rng(seed).permutation(np.arange(1, SIDE * SIDE + 1))
    return (
        np.stack([np.full_like(drawn, 200), drawn // 41 + 1, drawn % 41 + 1], -1)
        .reshape(SIDE, SIDE, 3)
        .astype(np.uint8)
    )


def forward(network, picture):
    with torch.no_grad():
        values = network(torch.as_tensor(picture).permute(2, 0, 1)[None].float() / 255)
    return values[0].numpy()


def unpadded():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 12, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 16, 3),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, 2),
    ).eval()


@pytest.mark.parametrize("layer", ["0", "1", "2", "3", "4", "5"])
@pytest.mark.parametrize("steps", [(1, 0), (0, -1), (2, 1), (-1, 2)])
def test_shifted_by_whole_strides_neurons_that_see_both_views_are_found_exactly(layer, steps):
    """The oracle: an unpadded network answers a shifted image with a shifted map."""
    network = unpadded()
    field = receptive_fields(network, SIDE)[layer]
    upto = network[: int(layer) + 1]
    picture = colours()
    warp = shift(*(one * stride for one, stride in zip(steps, field.stride, strict=True)))
    before, after = forward(upto, picture), forward(upto, warp.picture(picture, FILL))
    grid = Grid(centres(field, before.shape[1:], (SIDE, SIDE)), field.size)
    found = match(before, after, grid, Asked(warp, grid.places, (SIDE, SIDE), 4.0))
    assert found.interior.sum() > 10 and not found.interior.all()
    assert (found.error[found.interior] == 0).all()
    assert (found.hit[found.interior] == 1).all() and (found.tied[found.interior] == 1).all()
    np.testing.assert_array_equal(found.place[found.interior], warp.places(grid.places)[found.interior])


def test_padding_breaks_the_match_near_the_border():
    torch.manual_seed(0)
    network = nn.Sequential(*(nn.Conv2d(3 if not n else 8, 8, 3, padding=1) for n in range(4))).eval()
    field, warp, picture = receptive_fields(network, SIDE)["3"], shift(3, 5), colours()
    before, after = forward(network, picture), forward(network, warp.picture(picture, FILL))
    grid = Grid(centres(field, before.shape[1:], (SIDE, SIDE)), field.size)
    found = match(before, after, grid, Asked(warp, grid.places, (SIDE, SIDE), 4.0))
    assert (found.error[found.interior] == 0).all()
    assert (found.error[~found.interior] > 0).mean() > 0.1


@pytest.mark.parametrize("moved", [(0, 0), (7, -3), (-12, 20)])
def test_by_the_pixels_themselves_every_place_is_found(moved):
    """The identity network, an image of colours that are pairwise not parallel."""
    picture, warp = colours(), shift(*moved)
    before, after = (forward(nn.Identity(), one) for one in (picture, warp.picture(picture, FILL)))
    field = receptive_fields(nn.Sequential(nn.Identity()), SIDE)["0"]
    grid = Grid(centres(field, (SIDE, SIDE), (SIDE, SIDE)), field.size)
    found = match(before, after, grid, Asked(warp, grid.places, (SIDE, SIDE), 4.0))
    seen = ((grid.places + moved >= 0) & (grid.places + moved <= SIDE)).all(1)
    np.testing.assert_array_equal(found.interior, seen)
    assert (found.error[seen] == 0).all()


def test_the_match_is_the_largest_cosine_by_brute_force():
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal((2, 6, 5, 7)).astype(np.float32)
    grid = Grid((np.arange(5) * 4.0 + 2, np.arange(7) * 4.0 + 2), (4, 4))
    warp = Warp(np.array([[0.9, -0.2, 1.0], [0.2, 0.9, 2.0]]))
    points = rng.uniform(2, 18, (20, 2))
    found = match(before, after, grid, Asked(warp, points, (20, 28), 5.0))
    for number, point in enumerate(points):
        vector = grid.vectors(before, point[None])[0]
        cosines = {
            (y, x): after[:, y, x] @ vector / np.linalg.norm(after[:, y, x])
            for y in range(5)
            for x in range(7)
        }
        y, x = max(cosines, key=cosines.get)
        place = np.array([grid.at[0][y], grid.at[1][x]])
        np.testing.assert_array_equal(found.place[number], place)
        distance = np.linalg.norm(place - warp.places(point[None])[0])
        assert found.error[number] == pytest.approx(distance, rel=1e-5)
        assert found.hit[number] == (distance <= 5)


def _many(count, side):
    """Two maps, where their neurons look, and points that are found by them in a warp."""
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal((2, 6, side, side)).astype(np.float32)
    grid = Grid((np.arange(side) + 0.5,) * 2, (3, 3))
    return before, after, grid, Asked(shift(2, -1), rng.uniform(0, side, (count, 2)), (side, side), 3.0)


def test_points_that_are_taken_in_parts_are_found_where_all_at_once_would_be(monkeypatch):
    before, after, grid, asked = _many(50, 8)
    whole = match(before, after, grid, asked), yardsticks(grid, asked)
    monkeypatch.setattr(matching, "TABLE", 7 * 128)
    assert len(list(asked.parts(128))) == 8
    for one, other in zip(whole, (match(before, after, grid, asked), yardsticks(grid, asked)), strict=True):
        for name, values in vars(one).items():
            np.testing.assert_array_equal(getattr(other, name), values, err_msg=name)


@pytest.mark.parametrize("found", ["match", "yardsticks"])
def test_memory_does_not_grow_with_points(found):
    before, after, grid, asked = _many(10_000, 40)
    tracemalloc.start()
    if found == "match":
        match(before, after, grid, asked)
    else:
        yardsticks(grid, asked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A table of all points and neurons is 128 MB, and several are needed at a time.
    assert peak < 200e6


def test_what_is_like_everything_counts_as_chance():
    grid = Grid((np.arange(4) + 0.5, np.arange(4) + 0.5), (1, 1))
    points = np.array([[0.5, 0.5], [2.0, 3.0]])
    asked = Asked(shift(0, 0), points, (4, 4), 1.0)
    for before, after in (
        (np.zeros((3, 4, 4)), np.random.default_rng(0).standard_normal((3, 4, 4))),
        (np.ones((3, 4, 4)), np.full((3, 4, 4), 7.0)),
        (np.full((3, 4, 4), np.nan), np.ones((3, 4, 4))),
    ):
        found, chance = match(before, after, grid, asked), yardsticks(grid, asked)
        assert found.tied.tolist() == [16, 16]
        np.testing.assert_array_equal(found.error, chance.chance_error)
        np.testing.assert_array_equal(found.hit, chance.chance_hit)


def test_yardsticks_are_distances_of_neurons():
    grid = Grid((np.array([2.0, 6.0]), np.array([2.0, 6.0, 10.0])), (8, 8))
    asked = Asked(shift(0, 0), np.array([[2.0, 3.0]]), (8, 12), 4.0)
    found = yardsticks(grid, asked)
    distances = np.array([1, 3, 7, np.hypot(4, 1), 5, np.hypot(4, 7)])
    assert found.floor[0] == 1
    assert found.chance_error[0] == pytest.approx(distances.mean())
    assert found.chance_hit[0] == pytest.approx(2 / 6)
    assert found.field_error[0] == pytest.approx(distances[[0, 1, 3, 4]].mean())


def test_between_fields_that_leave_gaps_the_nearest_neuron_counts():
    grid = Grid((np.array([1.0, 9.0]), np.array([1.0, 9.0])), (2, 2))
    found = yardsticks(grid, Asked(shift(0, 0), np.array([[4.0, 1.0]]), (10, 10), 4.0))
    assert found.field_error[0] == found.floor[0] == 3
