import inspect
import random

import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops.misc import SqueezeExcitation

from pipeline.errors import UserError
from pipeline.numerics.geometry import ReceptiveField
from pipeline.receptive_field.__main__ import main
from pipeline.receptive_field.fields import receptive_fields
from tests.pipeline.gradients import disagreements


def fields_of(name, size=224):
    # Tensors without numbers: shapes are all that geometry needs.
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None).eval()
    return receptive_fields(network, size)


# Araujo, Norris & Sim 2019, and the same computed by hand: layer, size, stride, padding.
PUBLISHED = {
    "alexnet": [
        ("features.0", 11, 4, 2), ("features.2", 19, 8, 2), ("features.3", 51, 8, 18),
        ("features.5", 67, 16, 18), ("features.6", 99, 16, 34), ("features.8", 131, 16, 50),
        ("features.10", 163, 16, 66), ("features.12", 195, 32, 66),
    ],
    "vgg16": [
        ("features.0", 3, 1, 1), ("features.2", 5, 1, 2), ("features.4", 6, 2, 2), ("features.5", 10, 2, 4),
        ("features.7", 14, 2, 6), ("features.9", 16, 4, 6), ("features.10", 24, 4, 10),
        ("features.12", 32, 4, 14), ("features.14", 40, 4, 18), ("features.16", 44, 8, 18),
        ("features.17", 60, 8, 26), ("features.19", 76, 8, 34), ("features.21", 92, 8, 42),
        ("features.23", 100, 16, 42), ("features.24", 132, 16, 58), ("features.26", 164, 16, 74),
        ("features.28", 196, 16, 90), ("features.30", 212, 32, 90),
    ],
    "resnet50": [
        ("conv1", 7, 2, 3), ("maxpool", 11, 4, 5), ("layer1.2.relu_2", 35, 4, 17),
        ("layer2.3.relu_2", 91, 8, 45), ("layer3.5.relu_2", 267, 16, 133), ("layer4.2.relu_2", 427, 32, 213),
    ],
    "resnet18": [
        ("layer1.1.relu_1", 43, 4, None), ("layer2.1.relu_1", 99, 8, None),
        ("layer3.1.relu_1", 211, 16, None), ("layer4.1.relu_1", 435, 32, None),
    ],
    "resnet34": [
        ("layer1.2.relu_1", 59, 4, None), ("layer2.3.relu_1", 179, 8, None),
        ("layer3.5.relu_1", 547, 16, None), ("layer4.2.relu_1", 899, 32, None),
    ],
    "resnet101": [
        ("layer1.2.relu_2", 35, 4, None), ("layer2.3.relu_2", 91, 8, None),
        ("layer3.22.relu_2", 811, 16, None), ("layer4.2.relu_2", 971, 32, None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures(name):
    fields = fields_of(name)
    for layer, size, stride, padding in PUBLISHED[name]:
        found = fields[layer]
        assert (found.size, found.stride, found.status) == ((size, size), (stride, stride), "exact"), layer
        if padding is not None:
            assert found.start == (-padding, -padding), layer


def test_alexnet_in_the_input_of_rcnn():
    assert fields_of("alexnet", 227)["features.12"].size == (195, 195)


def test_dense_layers_see_the_whole_image():
    fields = fields_of("alexnet", (224, 256))
    assert fields["classifier.1"] == ReceptiveField((224, 256), (0, 0), (0, 0), "global")
    assert fields_of("resnet18")["avgpool"].status == "global"


def test_squeeze_and_excitation_is_global():
    fields = fields_of("efficientnet_b0")
    assert fields["features.1.0.block.0"].status == "exact"
    assert fields["features.1.0.block.1"].status == "global"
    assert fields["features.8"] == ReceptiveField((224, 224), (0, 0), (0, 0), "global")


class RandomNetwork(nn.Module):
    """Random convolutions and pools, then two branches that are added or concatenated, then one more."""

    def __init__(self, seed):
        super().__init__()
        draw = random.Random(seed)
        self.stem = nn.Sequential(self.layer(draw, 3), self.layer(draw, 4))
        kernels = [draw.choice([(1, 0), (3, 1), (5, 2)]) for _ in range(3)]
        convolutions = [nn.Conv2d(4, 4, kernel, padding=padding) for kernel, padding in kernels]
        self.left, self.right = convolutions[0], nn.Sequential(*convolutions[1:])
        self.stride, self.crop, self.join = (
            draw.choice([1, 2]),
            draw.choice([0, 1]),
            draw.choice(["add", "cat"]),
        )
        self.last = self.layer(draw, 4 if self.join == "add" else 8, pads=True)

    @staticmethod
    def layer(draw, channels, *, pads=False):
        if draw.random() < 0.6:
            kernel = (draw.choice([1, 2, 3, 5]), draw.choice([1, 3]))
            return nn.Conv2d(
                channels, 4, kernel, (draw.choice([1, 2, 3]), draw.choice([1, 2])),
                padding=tuple(draw.randint(0, k // 2) for k in kernel), dilation=draw.choice([1, 1, 2]),
            )  # fmt: skip
        pool = nn.AvgPool2d(3, draw.choice([1, 2]), draw.choice([0, 1]), ceil_mode=draw.choice([True, False]))
        return nn.Sequential(nn.Conv2d(channels, 4, 1), pool)

    def forward(self, x):
        x = torch.relu(self.stem(x))[:, :, :: self.stride, :: self.stride]
        a, b = self.left(x), self.right(x)
        x = a + b if self.join == "add" else torch.cat([a, b], 1)
        x = nn.functional.pad(x, (0, self.crop, self.crop, 0))
        return self.last(x)


@pytest.mark.parametrize("seed", range(16))
def test_random_network_agrees_with_its_gradient_to_the_pixel(seed):
    torch.manual_seed(seed)
    network, size = RandomNetwork(seed).eval(), (27 + seed % 7, 33 - seed % 5)
    fields = receptive_fields(network, size)
    names = [name for name in fields if not name.startswith("getattr")]
    assert not disagreements(network, fields, names, size, positions=every_position)
    assert sum(field.status == "exact" for field in fields.values()) > len(fields) // 2


def every_position(height, width):
    return [(y, x) for y in range(0, height, max(1, height // 4)) for x in (0, width // 2, width - 1)] + [
        (height - 1, width - 1)
    ]


def test_sequence_of_layers_is_exact_whatever_the_input_size():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Conv2d(4, 4, 3, padding=1)
    )
    for size in range(20, 40):
        assert receptive_fields(network, size)["2"] == ReceptiveField((19, 19), (4, 4), (-4, -4), "exact")


def test_what_a_neuron_sees_ends_where_strides_do_not_fit():
    field = receptive_fields(nn.Sequential(nn.Conv2d(3, 1, 3, 2), nn.Conv2d(1, 1, 3, padding=1)), 8)["1"]
    assert (field.size, field.stride, field.start, field.status) == ((7, 7), (2, 2), (-2, -2), "exact")
    assert field.seen((2, 0)) == ((2, 0), (7, 5))


def test_dilation_with_padding_sees_less_at_the_border():
    field = receptive_fields(nn.Sequential(nn.Conv2d(3, 1, 3, padding=2, dilation=2)), 8)["0"]
    assert field == ReceptiveField((5, 5), (1, 1), (-2, -2), "exact")
    assert field.rows[:3] == ((0, 3), (1, 4), (0, 5))


def test_network_that_cannot_be_traced_is_unknown():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.conv(x) if x.sum() > 0 else x

    fields = receptive_fields(Forked().eval(), 16)
    unknown = ReceptiveField((16, 16), (0, 0), (0, 0), "unknown")
    assert fields == {"conv.input": unknown, "conv": unknown}
    line = inspect.getsourcelines(Forked.forward)[1] + 1
    assert f"test_fields.py:{line}: what runs next may depend on values of the image" in fields["conv"].reason


@pytest.mark.parametrize("size", [0, (8, -1)])
def test_impossible_input_size(size):
    with pytest.raises(UserError, match="at least 1 pixel"):
        receptive_fields(nn.Conv2d(3, 1, 1), size)


def test_input_that_is_too_small():
    with pytest.raises(UserError, match="does not run on an input of 16x16"):
        receptive_fields(torchvision.models.alexnet(weights=None).eval(), 16)


def test_command_prints_a_table(capsys):
    assert main(["builtin:digits", "--input", "32"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "size", "stride", "start", "status"]
    assert ["features.8", "24", "8", "-8", "exact"] in [line.split() for line in lines]


GREY = """
from torch import nn
def grey(): return nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 2))
"""


def test_command_takes_the_number_of_channels(capsys, tmp_path):
    (tmp_path / "grey.py").write_text(GREY)
    arguments = [f"{tmp_path}/grey.py:grey", "--input", "8", "--inputs", str(tmp_path)]
    assert main([*arguments, "--channels", "1"]) == 0
    assert ["0", "2", "2", "0", "exact"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    assert main(arguments) == 1
    assert "does not run on an input of 8x8 pixels" in capsys.readouterr().err
    assert main(["builtin:digits", "--input", "32", "--channels", "1"]) == 1
    assert "does not run on an input of 32x32 pixels and 1 channel:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["torchvision:alexne"], "did you mean 'torchvision:alexnet'"),
        (["builtin:digits", "--input", "big"], "--input must be"),
    ],
)
def test_command_says_what_is_wrong(capsys, arguments, message):
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


class Gated(nn.Module):
    """Two convolutions, a gate between them in one of the ways in which people write one."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 5, padding=2)
        self.squeeze, self.way = nn.Linear(4, 4), way

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = self.first(images)
        gate = torch.sigmoid(self.squeeze(found.mean((2, 3)))).reshape(found.shape[0], 4, 1, 1)
        if self.way == "none":
            return self.second(found)
        if self.way == "sum":
            return self.second(found + gate)
        return self.second({"first": gate * found, "expanded": found * gate.expand_as(found)}[self.way])


@pytest.mark.parametrize("way", ["first", "expanded"])
def test_without_gates_the_field_is_that_of_the_same_network_without_them(way):
    plain = receptive_fields(Gated("none").eval(), 16)["second"]
    gated = Gated(way).eval()
    assert receptive_fields(gated, 16)["second"].status == "global"
    found = receptive_fields(gated, 16, gates=False)["second"]
    assert (found, found.rows, found.columns) == (plain, plain.rows, plain.columns)


def test_a_sum_with_what_sees_the_whole_image_is_no_gate():
    assert receptive_fields(Gated("sum").eval(), 16, gates=False)["second"].status == "global"


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v3_large"])
def test_without_gates_fields_are_those_of_the_network_whose_gates_were_taken_out(name):
    with torch.device("meta"):
        network = torchvision.models.get_model(name).eval()
    free = receptive_fields(network, 224, gates=False)
    for module in network.modules():
        for child, kind in list(module.named_children()):
            if isinstance(kind, SqueezeExcitation):
                setattr(module, child, nn.Identity())
    plain = receptive_fields(network, 224)
    shared = plain.keys() & free.keys()
    assert len(shared) > 80
    assert {layer: free[layer] for layer in shared} == {layer: plain[layer] for layer in shared}
    assert free["avgpool"].status == "global"
