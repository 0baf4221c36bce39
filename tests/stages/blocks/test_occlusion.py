"""The block occlusion: lengths in pixels and as shares."""

from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.params import check_block
from stages.blocks import occlusion

PLAIN = {
    "run": True, "windows": [0.25], "stride": 0.0625, "fill": "zero", "probes": 2, "batch_size": 8, "seed": 0,
}  # fmt: skip


def params(**changed):
    return check_block(PLAIN | changed, "occlusion", occlusion.Params, source="test")


@pytest.mark.parametrize(
    ("windows", "expected"),
    [([0.25], [8]), ([8], [8]), ([0.25, 8, 3], [3, 8]), ([0.001], [1]), ([32], [32]), ([1], [1])],
)
def test_lengths_are_pixels_or_shares_of_the_shorter_side(windows, expected):
    assert occlusion.window_sides(params(windows=windows), (32, 40)) == expected


@pytest.mark.parametrize("wrong", [[], [0], [1.5], [-3], ["wide"]])
def test_lengths_that_are_neither_are_refused(wrong):
    with pytest.raises(UserError, match=r"occlusion\.windows"):
        params(windows=wrong)


def test_a_square_larger_than_the_input_is_refused_before_anything_runs():
    network = SimpleNamespace(preprocessing=SimpleNamespace(input_size=(32, 40)))
    message = "a square of 33 pixels is larger than the network's input, 32 x 40 pixels; give at most 32"
    with pytest.raises(UserError, match=message):
        occlusion.check({"occlusion": params(windows=[33])}, network)
    occlusion.check({"occlusion": params(windows=[33], run=False)}, network)
    occlusion.check({"occlusion": params(windows=[32])}, network)
