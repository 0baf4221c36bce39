import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.observer import Observer
from pipeline.layers.selection import mapped_layers, select_layers
from pipeline.model.architectures import CifarResNet, Digits
from tests.small.forked import Forked


def without_numbers(name):
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None).eval()


def auto(network, size):
    code = code_layer(network, size)
    return [
        layer.name for layer in select_layers(describe_layers(network, size), code, "auto", "extract.layers")
    ]


def test_layers_of_a_small_network():
    layers = {layer.name: layer for layer in describe_layers(Digits().eval(), 32)}
    assert list(layers)[:3] == ["features.0", "features.1", "features.2"]
    relu, pool, dense = layers["features.4"], layers["features.5"], layers["classifier.1"]
    assert (relu.kind, relu.units, relu.map_size, relu.before) == ("map", 32, (16, 16), "features.3")
    assert (relu.is_activation, relu.is_pool) == (True, False)
    assert (pool.is_activation, pool.is_pool, pool.before) == (False, True, None)
    assert (dense.kind, dense.units, dense.map_size, dense.before) == ("dense", 64, (1, 1), "classifier.0")
    assert relu.receptive_field.size == (10, 10)


def test_auto_takes_activations_pools_and_the_code():
    expected = [
        "features.1",
        "features.2",
        "features.4",
        "features.5",
        "features.7",
        "features.8",
        "classifier.1",
    ]
    assert auto(Digits().eval(), 32) == expected


def test_auto_of_alexnet_leaves_the_pool_out_that_changes_nothing():
    names = auto(without_numbers("alexnet"), 224)
    assert names[-3:] == ["features.12", "classifier.2", "classifier.5"]
    assert "avgpool" not in names


def test_adaptive_pool_that_resizes_is_a_pool():
    assert "avgpool" in auto(without_numbers("alexnet"), 256)


def test_auto_of_a_deep_network_takes_the_ends_of_blocks():
    names = auto(without_numbers("resnet50"), 224)
    assert names[:3] == ["relu", "maxpool", "layer1.0.relu_2"]
    assert names[-2:] == ["layer4.2.relu_2", "avgpool"]
    assert len(names) == 19


def test_auto_without_activation_maps_takes_sums():
    names = auto(without_numbers("convnext_tiny"), 64)
    assert "features.7.2.add" in names
    assert names[-2:] == ["avgpool", "classifier.0.permute_1"]


def test_auto_leaves_gates_out():
    names = auto(without_numbers("efficientnet_b0"), 64)
    assert not [name for name in names if ".block.1." in name]
    assert names[-1] == "avgpool"


@pytest.mark.parametrize(
    ("name", "size", "code"),
    [
        ("alexnet", 64, "classifier.5"),
        ("vgg11", 32, "classifier.4"),
        ("resnet18", 32, "avgpool"),
        ("squeezenet1_1", 32, "features.12.cat"),
        ("shufflenet_v2_x0_5", 32, "mean"),
    ],
)
def test_code_layer(name, size, code):
    assert code_layer(without_numbers(name), size) == code


def test_code_layer_of_a_flattened_map_is_the_vector():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 2)

        def forward(self, x):
            return self.fc(F.dropout(torch.flatten(torch.relu(self.conv(x)), 1), training=self.training))

    assert code_layer(Flat().eval(), 8) == "flatten"
    assert auto(Flat().eval(), 8) == ["relu", "flatten"]


def test_network_that_is_not_the_same_twice_is_refused():
    class Careless(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(12, 50)

        def forward(self, x):
            return F.dropout(self.fc(x.flatten(1)))

    with pytest.raises(UserError, match="another output when it is run again"):
        describe_layers(Careless().eval(), 2)


def test_network_without_a_classifier_has_no_code():
    with pytest.raises(UserError, match="no dense or convolution layer"):
        code_layer(nn.Sequential(nn.AvgPool2d(2), nn.ReLU()).eval(), 8)


def test_names_and_globs_in_the_order_of_the_network():
    layers = describe_layers(Digits().eval(), 32)
    chosen = select_layers(layers, "classifier.1", ["classifier.*", "features.0"], "extract.layers")
    assert [layer.name for layer in chosen] == ["features.0", "classifier.0", "classifier.1", "classifier.2"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alexnet", ["features.1", "features.11"]),
        ("resnet18", ["relu", "layer4.1.relu_1"]),
        ("googlenet", ["conv1.relu", "inception5b.cat"]),
        ("efficientnet_b0", ["features.0", "features.8"]),
        ("convnext_tiny", ["features.0.0", "features.7.2.add"]),
    ],
)
def test_the_first_and_the_last_convolution_after_what_acts_on_them(name, expected):
    layers = describe_layers(without_numbers(name), 224)
    assert [layer.name for layer in mapped_layers(layers, "auto", "maps.layers")] == expected


def test_one_convolution_is_first_and_last_and_none_has_no_map():
    one = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).eval()
    assert [layer.name for layer in mapped_layers(describe_layers(one, 8), "auto", "maps.layers")] == ["1"]
    none = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    assert mapped_layers(describe_layers(none, 8), "auto", "maps.layers") == ()


def test_of_maps_only_those_of_several_positions_can_be_named():
    layers = describe_layers(Digits().eval(), 32)
    chosen = mapped_layers(layers, ["features.[05]"], "maps.layers")
    assert [layer.name for layer in chosen] == ["features.0", "features.5"]
    with pytest.raises(UserError, match=r"^maps.layers: no layer matches 'classifier\.1'"):
        mapped_layers(layers, ["classifier.1"], "maps.layers")


def test_unknown_layer_is_named_with_the_nearest_and_the_list():
    layers = describe_layers(Digits().eval(), 32)
    with pytest.raises(
        UserError, match=r"^extract.layers: no layer matches 'feature\.1'; did you mean 'features\.1'\? the"
    ):
        select_layers(layers, "classifier.1", ["feature.1"], "extract.layers")


def test_functional_activations_and_sums():
    layers = {layer.name: layer for layer in describe_layers(CifarResNet().eval(), 32)}
    assert layers["layer2.0.relu_1"].before == "layer2.0.add"
    assert layers["layer2.0.relu_1"].ends_block
    assert not layers["layer2.0.add"].ends_block
    assert layers["layer2.0.relu_1"].receptive_field.status == "exact"


def test_network_that_cannot_be_traced_is_described_by_its_modules():
    network = Forked().eval()
    layers = {layer.name: layer for layer in describe_layers(network, 8)}
    assert list(layers) == [
        "conv.input",
        "conv",
        "relu",
        "pool",
        "again.input",
        "again",
        "relu_1",
        "fc.input",
        "fc",
    ]
    assert {layer.receptive_field.status for layer in layers.values()} == {"unknown"}
    assert layers["relu_1"].map_size == (4, 4)
    assert code_layer(network, 8) == "fc.input"
    assert auto(network, 8) == ["relu", "pool", "relu_1", "fc.input"]


class Steered(nn.Module):
    """Decides by values, and calls one bounded activation twice, in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.act, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU6(inplace=True), nn.Linear(4, 2)

    def forward(self, x):
        x = self.act(9 * self.conv(x))
        x = self.act(9 * self.conv(x[:, :3])) if x.sum() < 1e9 else x
        return self.fc(x.mean((2, 3)))


def test_of_bounded_modules_in_a_network_that_decides_by_values_the_input_ranks():
    network, image = Steered().eval(), torch.randn(1, 3, 8, 8)
    layers = {layer.name: layer for layer in describe_layers(network, 8)}
    assert [(name, layers[name].before) for name in layers if layers[name].by_input] == [
        ("act", "act.input"), ("act_1", "act_1.input"),
    ]  # fmt: skip
    seen = {}
    observer = Observer(network, ["act", "act.input", "act_1", "act_1.input"])
    with torch.no_grad():
        observer.forward(image, lambda name, value: seen.update({name: value.clone()}))
        first = 9 * network.conv(image)
    assert torch.equal(seen["act.input"], first) and torch.equal(seen["act"], first.clamp(0, 6))
    assert torch.equal(seen["act_1"], seen["act_1.input"].clamp(0, 6))
    assert auto(network, 8) == ["act", "act_1", "fc.input"]


class Several(nn.Module):
    """Returns logits and more; the other head is computed last."""

    def __init__(self, kind, forked):
        super().__init__()
        self.kind, self.forked = kind, forked
        self.conv, self.fc, self.other = nn.Conv2d(1, 4, 3), nn.Linear(4, 5), nn.Linear(36, 2)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        if self.forked and x.sum() < 0:
            x = -x
        logits, other = self.fc(x.mean((2, 3))), self.other(x[:, 0].flatten(1))
        return (logits, other) if self.kind is tuple else {"logits": logits, "other": other}


@pytest.mark.parametrize("kind", [tuple, dict])
@pytest.mark.parametrize(("forked", "code"), [(False, "mean"), (True, "fc.input")])
def test_code_is_what_enters_the_first_of_several_outputs(kind, forked, code):
    network = Several(kind, forked).eval()
    assert code_layer(network, 8) == code
    assert [layer.units for layer in describe_layers(network, 8) if layer.name in ("conv", "fc")] == [4, 5]


def test_number_of_channels_may_be_said_where_no_convolution_tells():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    assert code_layer(network, 8, 1) == "2"
    assert [layer.name for layer in describe_layers(network, 8, 1)] == ["0", "1", "2", "3"]
    with pytest.raises(UserError, match="does not run on an input of 8x8 pixels"):
        describe_layers(network, 8)
