"""Which layers are inverted, on networks of torchvision."""

import pytest
from torchvision import models

from pipeline.analyses.inversion.choosing import inverted_layers
from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers


def choose(name, *, side=64, patterns="auto", most=4):
    network = models.get_model(name, weights=None).eval()
    return inverted_layers(describe_layers(network, side), code_layer(network, side), patterns, most)


def names(name, **asked):
    return [one.layer.name for one in choose(name, **asked)]


def test_auto_takes_the_first_convolution_and_the_code_and_what_lies_between():
    found = names("alexnet")
    assert (found[0], found[-1], len(found)) == ("features.0", "classifier.5", 4)
    # The gates of squeeze-and-excitation and ReLU6 are no hindrance.
    for name, first in (("mobilenet_v3_small", "features.0.0"), ("mobilenet_v2", "features.0.0")):
        found = names(name)
        assert found[0] == first and len(found) == 4
        assert not any(".block.1.fc" in layer or "scale_activation" in layer for layer in found)


def test_more_are_spread_over_the_depth():
    depths = [one.depth for one in choose("alexnet", most=7)]
    assert depths == sorted(depths) and len(depths) == 7 and 0 < depths[0] < depths[-1] < 1


def test_layers_are_chosen_by_name():
    assert names("alexnet", patterns=("features.1", "features.0")) == ["features.0", "features.1"]
    with pytest.raises(UserError, match=r"inversion\.layers"):
        names("alexnet", patterns=("nothing",))
