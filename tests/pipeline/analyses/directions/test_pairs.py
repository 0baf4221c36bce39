import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.analyses.directions.pairs import NoPairsError, Pair, linear_pairs, undone
from pipeline.model.architectures import BUILTIN


class Branched(nn.Module):
    """A sum, a grouped convolution, a layer called twice, a maximum pool: no rotation goes through any."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.grouped, self.twice = nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 4, 1)
        self.pool, self.norm = nn.MaxPool2d(2), nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        value = self.one(images)
        value = self.grouped(torch.relu(value + self.two(value)))
        value = self.twice(self.twice(value))
        value = self.pool(value).relu()
        return self.head(self.norm(value).mean((2, 3)))


class Through(nn.Module):
    """What a rotation does go through: batch normalisation after the first, means, dropout, flattening."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(), nn.Conv2d(4, 5, 3),
            nn.Conv2d(5, 6, 3, padding=1),
        )  # fmt: skip
        self.middle, self.head = nn.Linear(6 * 4 * 4, 7), nn.Linear(7, 2)

    def forward(self, images):
        return self.head(nn.functional.gelu(self.middle(self.body(images).flatten(1))))


def test_pairs_are_found_through_what_treats_units_alike():
    assert linear_pairs(Through().eval(), (8, 8), 3) == [
        Pair("body.1", "body.2", "body.4", "body.4.weight"), Pair("body.4", None, "body.5", "body.5.weight"),
        Pair("body.5", None, "middle", "middle.weight"), Pair("middle", "gelu", "head", "head.weight"),
    ]  # fmt: skip
    letters = linear_pairs(BUILTIN["letters"](26).eval(), (64, 64), 3)
    assert letters == [
        Pair("features.9", "features.10", "features.11", "features.11.weight"),
        Pair("classifier.0", "classifier.1", "classifier.2", "classifier.2.weight"),
    ]  # fmt: skip


class Functional(nn.Module):
    """Layers as functions of parameters: `tied` is that of one with groups, `shared` of two."""

    def __init__(self):
        super().__init__()
        self.one, self.two = (nn.Parameter(torch.randn(4, units, 1, 1)) for units in (3, 4))
        self.tied, self.shared = nn.Parameter(torch.randn(4, 2, 1, 1)), nn.Parameter(torch.randn(4, 4))

    def forward(self, images):
        value = F.conv2d(F.relu(F.conv2d(images, self.one)), self.two)
        value = F.conv2d(value, self.tied, groups=2).mean((2, 3))
        return F.linear(F.linear(value, self.shared), self.shared)


def test_functions_of_parameters_are_layers_too():
    assert linear_pairs(Functional().eval(), (8, 8), 3) == [Pair("conv2d", "relu", "conv2d_1", "two")]


def test_branches_groups_repeats_pools_and_norms_bar_the_way():
    with pytest.raises(NoPairsError, match="no two linear layers"):
        linear_pairs(Branched().eval(), (8, 8), 3)


def test_two_activations_between_are_too_many():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Tanh(), nn.Linear(4, 2)).eval()
    with pytest.raises(NoPairsError):
        linear_pairs(network, (2, 2), 3)


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 2, 2), (5, 3 * 4)])
def test_a_rotation_is_undone_in_the_weights(shape):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))[0]
    places = weight[0].numel() // 3
    value = torch.randn(3, places, generator=generator, dtype=torch.float64)
    expected = weight.reshape(5, -1) @ value.reshape(-1)
    torch.testing.assert_close(
        undone(weight, rotation).reshape(5, -1) @ (rotation @ value).reshape(-1), expected
    )
