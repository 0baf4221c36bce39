"""Every classification CNN of torchvision: layers, code, taps, receptive fields; none needs its own code."""

from pathlib import Path

import pytest
import torch
import torchvision

from pipeline.extraction.reduction import code_of
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.observer import Observer
from pipeline.layers.selection import select_layers
from pipeline.model.building import build_network
from pipeline.receptive_field.fields import receptive_fields
from tests.pipeline.gradients import disagreements

CNNS = (
    "alexnet", "vgg", "resnet", "resnext", "wide_resnet", "densenet", "googlenet", "inception", "squeezenet",
    "mobilenet", "mnasnet", "shufflenet", "efficientnet", "regnet", "convnext",
)  # fmt: skip
# Whose blocks scale their maps by what the whole map holds.
GATED = ("mobilenet_v3", "efficientnet", "regnet_y")
SMALLEST = {"alexnet": 63, "inception_v3": 75}
# The smallest of each family, and what its last map sees.
FAMILIES = {
    "alexnet": "exact", "vgg11": "exact", "resnet18": "exact", "resnext50_32x4d": "exact",
    "wide_resnet50_2": "exact", "densenet121": "exact", "googlenet": "exact", "inception_v3": "exact",
    "squeezenet1_1": "exact", "mobilenet_v2": "exact", "mobilenet_v3_small": "global", "mnasnet0_5": "exact",
    "shufflenet_v2_x0_5": "exact", "efficientnet_b0": "global",
    "regnet_x_400mf": "exact", "regnet_y_400mf": "global", "convnext_tiny": "exact",
}  # fmt: skip
ALL = [name for name in torchvision.models.list_models(module=torchvision.models) if name.startswith(CNNS)]


def size_of(name):
    return SMALLEST.get(name, 32)


def check(name):
    """Check what the rest of the project asks of a network; return the status of its last map."""
    network, size = build_network(f"torchvision:{name}", 5, Path()), size_of(name)
    layers = describe_layers(network, size)
    code = code_layer(network, size)
    chosen = select_layers(layers, code, "auto", "extract.layers")
    assert 2 <= len(chosen) <= 60
    assert code in [layer.name for layer in chosen]
    before = layers[: [layer.name for layer in layers].index(code) + 1]
    assert {layer.name for layer in [item for item in before if item.is_pool][-1:]} <= {
        item.name for item in chosen
    }
    shapes = {}
    names = {layer.name for layer in layers}
    with torch.inference_mode():
        images = torch.rand(2, 3, size, size)
        logits = Observer(network, names).forward(
            images, lambda name, value: shapes.update({name: value.shape})
        )
        codes = {}
        Observer(network, [code]).forward(images, lambda name, value: codes.update({name: code_of(value)}))
        assert torch.equal(logits, network(images))
    assert logits.shape == (2, 5)
    assert codes[code].ndim == 2 and len(codes[code]) == 2
    for layer in layers:
        expected = (2, layer.units, *layer.map_size) if layer.kind == "map" else (2, layer.units)
        assert tuple(shapes[layer.name]) == expected
    statuses = {layer.receptive_field.status for layer in layers}
    assert statuses <= {"exact", "global"}
    assert (
        next(layer for layer in layers if layer.is_activation or layer.ends_block).receptive_field.status
        == "exact"
    )
    maps = [layer for layer in layers if layer.kind == "map" and (layer.is_activation or layer.ends_block)]
    return maps[-1].receptive_field.status


@pytest.mark.parametrize("name", FAMILIES)
def test_one_network_of_each_family(name):
    assert check(name) == FAMILIES[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL if name not in FAMILIES])
def test_every_network(name):
    assert check(name) == ("global" if name.startswith(GATED) else "exact")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_receptive_fields_agree_with_the_gradient(name):
    torch.manual_seed(0)
    network, size = build_network(f"torchvision:{name}", 5, Path()), (size_of(name) + 7, size_of(name) + 2)
    fields = receptive_fields(network, size)
    names = list(fields)[:: max(1, len(fields) // 12)]
    assert not disagreements(network, fields, names, size)
