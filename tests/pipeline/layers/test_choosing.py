"""Layers by name or glob."""

import subprocess
import sys

import pytest

from pipeline.errors import UserError
from pipeline.layers.choosing import choose_layers

LAYERS = ["conv1", "pool1", "conv2", "fc"]


def test_layers_match_globs_in_the_order_of_the_network():
    assert choose_layers(["fc", "conv*", "conv1"], LAYERS, "patches.layers") == ["conv1", "conv2", "fc"]


@pytest.mark.parametrize("name", ["conv1/3x3", "r#1", "a[0]", "*", "A?"])
def test_a_name_is_its_layer_before_it_is_a_glob(name):
    assert choose_layers([name], ["a0", "AB", name, "conv1"], "patches.layers") == [name]


def test_letters_are_told_apart_by_case():
    assert choose_layers(["Conv*"], ["conv", "Conv"], "patches.layers") == ["Conv"]


def test_an_unknown_layer_is_named_with_its_key_the_nearest_and_all():
    with pytest.raises(
        UserError,
        match=r"^patches\.layers: no layer matches 'conv3'; did you mean 'conv\d'\? the layers are: conv1",
    ):
        choose_layers(["*", "conv3"], LAYERS, "patches.layers")
    with pytest.raises(UserError, match=r"'z'; the layers are: conv1, pool1, conv2, fc$"):
        choose_layers(["z"], LAYERS, "patches.layers")


def test_a_block_can_choose_layers_without_torch():
    program = "import sys, pipeline.layers.choosing; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
