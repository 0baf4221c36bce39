"""Which layers have filters, and whose units they are."""

import torch
from torch import nn

from pipeline.layers.weighted import turned, weight_of, weighted_layers


class Branches(nn.Module):
    """A convolution with normalisation, a residual block, a depthwise one, and a dense end."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.again = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.depthwise = nn.Conv2d(4, 4, 5, padding=2, groups=4)
        self.up = nn.ConvTranspose2d(4, 6, 2)
        self.head = nn.Linear(6 * 5 * 5, 2)

    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.conv(x))))
        x = self.again(x + self.depthwise(x))
        return self.head(torch.flatten(torch.relu(self.up(x)), 1))


class Padded(nn.Conv2d):
    """A convolution that pads by itself, as many of EfficientNet do."""

    def forward(self, x):
        padded = nn.functional.pad(x, (1, 1, 1, 1))
        return nn.functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


class Functions(nn.Module):
    """Weights without modules, and weights that are computed."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(2, 3, 3, 3))
        self.rows = nn.Parameter(torch.ones(5, 2 * 36))

    def forward(self, x):
        x = nn.functional.conv2d(x, self.kernel)
        x = x + nn.functional.conv2d(x, 2 * self.kernel[:, :2], padding=1)
        return nn.functional.linear(x.flatten(1), self.rows)


class ByValue(nn.Module):
    """Goes another way for bright images."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.relu(self.conv(x)).mean((2, 3))
        return self.head(x) if float(x.sum()) > -1 else x


def test_units_are_followed_until_branches_meet():
    network = Branches().eval()
    found = {layer.name: layer for layer in weighted_layers(network, (8, 8), 3)}
    assert list(found) == ["conv", "depthwise", "up", "head"]
    assert found["conv"].units_of == {
        "conv": (), "norm": ("norm",), "relu": ("norm",), "pool": ("norm",),
    }  # fmt: skip
    # What comes of a sum is nobody's.
    assert list(found["depthwise"].units_of) == ["depthwise"]
    assert list(found["up"].units_of) == ["up", "relu_1"]
    assert [layer.kind for layer in found.values()] == ["conv", "conv", "conv", "dense"]
    assert found["depthwise"].groups == 4
    assert found["head"].input_map == (6, 5, 5)
    assert weight_of(network, found["up"]).shape == (6, 4, 2, 2)


def test_a_vector_is_no_map():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2)).eval()
    first, second = weighted_layers(network, (2, 2), 3)
    assert first.input_map == (3, 2, 2)
    assert second.input_map is None
    assert list(first.units_of) == ["1", "2"]


def test_pooled_to_one_position_units_stay_what_they_are():
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)]
    conv, _ = weighted_layers(nn.Sequential(*layers).eval(), (8, 8), 3)
    assert list(conv.units_of) == ["0", "1", "2", "3"]


def test_a_network_that_decides_by_values_knows_its_own_layers():
    conv, head = weighted_layers(ByValue().eval(), (8, 8), 3)
    assert (dict(conv.units_of), dict(head.units_of)) == ({"conv": ()}, {"head": ()})


def test_subclasses_and_functions_have_filters_too():
    network = nn.Sequential(Padded(3, 6, 3, groups=3), nn.BatchNorm2d(6), nn.ReLU()).eval()
    (padded,) = weighted_layers(network, (8, 8), 3)
    assert (padded.name, padded.groups) == ("0", 3)
    assert list(padded.units_of) == ["0.conv2d", "1", "2"]
    network = Functions().eval()
    kernel, rows = weighted_layers(network, (8, 8), 3)
    assert (kernel.name, kernel.kind, rows.name, rows.kind) == ("kernel", "conv", "rows", "dense")
    assert weight_of(network, kernel) is not None and rows.input_map == (2, 6, 6)


def test_a_network_without_weights_has_no_filters():
    assert weighted_layers(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval(), (8, 8), 3) == ()


def test_negative_scales_turn_signs():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3), nn.BatchNorm2d(3, affine=False))
    network[0].weight.data = torch.tensor([1.0, -1, -1])
    network[1].weight.data = torch.tensor([1.0, 1, -1])
    assert turned(network, ("0", "1", "2"), 3).tolist() == [False, True, False]
    assert not turned(network, (), 3).any()
