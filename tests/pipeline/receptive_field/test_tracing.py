import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.feature_extraction import get_graph_node_names

from pipeline.receptive_field.tracing import trace


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "regnet_y_400mf"])
def test_every_name_of_torchvision_is_there_in_its_order(name):
    network = torchvision.models.get_model(name, weights=None).eval()
    wanted = get_graph_node_names(network, suppress_diff_warning=True)[1]
    names = list(trace(network).names.values())
    remaining = iter(names)
    assert len(set(names)) == len(names)
    assert all(item in remaining for item in wanted)


def test_closed_blocks_are_opened():
    with torch.device("meta"):
        traced = trace(torchvision.models.mobilenet_v2(weights=None).eval())
    assert isinstance(traced.module(traced.node("features.0.0")), nn.Conv2d)
    assert isinstance(traced.module(traced.node("features.0")), nn.ReLU6)


def test_further_parameters_stay_at_their_defaults():
    class Masked(nn.Module):
        def forward(self, x, mask=None, scale=2.0, flag=False):
            x = x * scale if mask is None else x * mask
            return -x if flag else x

    traced = trace(Masked().eval())
    assert list(traced.names.values()) == ["x", "mul"]


def test_network_that_decides_by_a_value_cannot_be_traced():
    class Forked(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    assert trace(Forked().eval()) is None


def test_tracing_leaves_the_mode_alone():
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Dropout())
    network.train()
    trace(network)
    assert network.training
