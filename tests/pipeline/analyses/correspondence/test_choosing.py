import pytest
import torch
from torch import nn
from torchvision import models

from pipeline.analyses.correspondence.choosing import placed_layers
from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.receptive_field import receptive_fields


def choose(network, side, patterns="auto", most=6, *, gates=True):
    fields = None if gates else receptive_fields(network, side, gates=False)
    return placed_layers(describe_layers(network, side), code_layer(network, side), patterns, most, fields)


def test_of_alexnet_all_activation_maps():
    chosen = choose(models.alexnet(weights=None).eval(), 64)
    assert [layer.name for layer in chosen.layers] == [f"features.{n}" for n in (1, 4, 7, 9, 11)]
    assert chosen.without_place == {}


def test_of_many_layers_first_and_last_and_others_between():
    chosen = choose(models.resnet18(weights=None).eval(), 64, most=4)
    names = [layer.name for layer in chosen.layers]
    assert (names[0], names[-1], len(names)) == ("relu", "layer4.1.relu_1", 4)


def test_vectors_and_single_positions_have_no_place():
    chosen = choose(models.alexnet(weights=None).eval(), 64, ("features.0", "features.12", "classifier.*"))
    assert [layer.name for layer in chosen.layers] == ["features.0"]
    assert chosen.without_place["features.12"] == chosen.without_place["classifier.6"] == "one position"


def test_after_a_gate_a_place_is_that_of_what_is_let_through():
    network = models.mobilenet_v3_small(weights=None).eval()
    with_gates, without = (choose(network, 64, ("features.4.*",), gates=gates) for gates in (True, False))
    assert set(with_gates.without_place.values()) == {"whole image", "one position"}
    assert set(without.without_place.values()) == {"one position"}
    assert len(without.layers) > len(with_gates.layers)


def test_without_activation_functions_the_convolutions():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 16, 2)).eval()
    assert [layer.name for layer in choose(network, 8).layers] == ["0", "1"]


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"correspondence\.layers"):
        choose(models.alexnet(weights=None).eval(), 64, ("nothing",))
