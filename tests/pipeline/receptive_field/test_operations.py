import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.receptive_field.fields import receptive_fields
from tests.pipeline.gradients import disagreements

SIZE = (17, 22)


class Network(nn.Module):
    """A convolution, then any function of its output."""

    def __init__(self, function, *modules):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, padding=1)
        self.rest = nn.Sequential(*modules)
        self.function = function

    def forward(self, x):
        return self.function(self, self.stem(x))


def shuffled(_, x):
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def halves(net, x):
    return torch.cat([x, net.rest(x)], 1).chunk(2, 1)


def channels_last(net, x):
    return net.rest(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


NETWORKS = {
    "same padding": Network(lambda n, x: n.rest(x), nn.Conv2d(4, 4, 4, padding="same", dilation=2)),
    "valid padding": Network(lambda n, x: n.rest(x), nn.Conv2d(4, 4, 4, padding="valid")),
    "groups": Network(lambda n, x: n.rest(x), nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 4, 3, groups=2)),
    "rectangle": Network(lambda n, x: n.rest(x), nn.Conv2d(4, 4, (1, 5), (2, 1), (0, 2))),
    "function": Network(lambda n, x: F.conv2d(x, n.rest[0].weight, None, 2, 1, 1, 2),
                        nn.Conv2d(4, 4, 3, groups=2)),
    "pool": Network(lambda n, x: F.max_pool2d(x, 3, 2, 1)),
    "pool, ceil": Network(lambda n, x: F.avg_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)),
    "regular adaptive pool": Network(lambda n, x: F.adaptive_avg_pool2d(x[:, :, :8, :9], (4, 3))),
    "adaptive pool to more": Network(lambda n, x: F.adaptive_avg_pool2d(x[:, :, :1, :1], 3)),
    "slices": Network(lambda n, x: x[:, 1:, ::2, 1::3]),
    "ellipsis": Network(lambda n, x: x[..., ::2]),
    "crop": Network(lambda n, x: n.rest(F.pad(x, (-1, -2, 0, -1))), nn.Conv2d(4, 4, 3, padding=1)),
    "channels padded": Network(lambda n, x: F.pad(x, [0] * 4 + [2, 2]) + F.pad(n.rest(x), [0] * 4 + [1, 3]),
                               nn.Conv2d(4, 4, 3, padding=1)),
    "padded, then seen": Network(lambda n, x: n.rest(x), nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(4, 4, 3)),
    "channels mixed": Network(lambda n, x: n.rest[1](torch.cat([x, n.rest[0](x)], 1)),
                              nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 4, 3)),
    "channels mixed in groups": Network(lambda n, x: n.rest[1](shuffled(n, torch.cat([x, n.rest[0](x)], 1))),
                                        nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 4, 3, groups=4)),
    "residual": Network(lambda n, x: x + n.rest(x), nn.Conv2d(4, 4, 5, padding=2)),
    "in place": Network(lambda n, x: n.rest(x).add_(x), nn.Conv2d(4, 4, 3, padding=1)),
    "shuffle": Network(lambda n, x: n.rest(shuffled(n, x)), nn.Conv2d(4, 4, 3)),
    "shuffle module": Network(lambda n, x: n.rest(x), nn.ChannelShuffle(2), nn.Conv2d(4, 4, 3)),
    "half without branch": Network(lambda n, x: halves(n, x)[0] * 2, nn.Conv2d(4, 4, 3, padding=1)),
    "half with branch": Network(lambda n, x: halves(n, x)[1] * 2, nn.Conv2d(4, 4, 3, padding=1)),
    "channels last": Network(channels_last, nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_operation_agrees_with_its_gradient(name):
    torch.manual_seed(0)
    network = NETWORKS[name].eval()
    fields = receptive_fields(network, SIZE)
    last = list(fields)[-1]
    assert fields[last].status == "exact"
    assert not disagreements(network, fields, [last], SIZE, positions=every)


def every(height, width):
    return [(y, x) for y in range(height) for x in (0, width // 2, width - 1)]


def test_half_of_the_channels_has_its_own_field():
    small, large = (
        list(receptive_fields(NETWORKS[f"half {which} branch"].eval(), SIZE).values())[-1].size
        for which in ("without", "with")
    )
    assert (small, large) == ((3, 3), (7, 7))


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: F.adaptive_avg_pool2d(x, (5, 4)),
        lambda n, x: n.rest(F.pad(x, (2, 2, 2, 2), mode="circular")),
        lambda n, x: n.rest(F.pad(x, (3, 3, 3, 3), mode="reflect")),
        lambda n, x: x + F.avg_pool2d(x, 3, 1)[:, :, :1, :1],
    ],
    ids=["irregular adaptive pool", "circular", "reflect", "broadcast"],
)
def test_what_is_not_regular_is_a_bound(function):
    torch.manual_seed(0)
    network = Network(function, nn.Conv2d(4, 4, 3)).eval()
    fields = receptive_fields(network, SIZE)
    last = list(fields)[-1]
    assert fields[last].status == "bound"
    assert not disagreements(network, fields, [last], SIZE, positions=every)


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: x.mean((2, 3)),
        lambda n, x: x.mean(3).mean(2),
        lambda n, x: F.avg_pool2d(x, x.size()[2:]),
        lambda n, x: F.adaptive_avg_pool2d(x, 1),
        lambda n, x: x * torch.sigmoid(n.rest(F.adaptive_avg_pool2d(x, 1))),
        lambda n, x: torch.flatten(x, 1),
        lambda n, x: x.view(x.size(0), -1),
        lambda n, x: n.rest(x),
    ],
    ids=["mean", "means", "pool of the map's size", "adaptive", "gate", "flatten", "view", "group norm"],
)
def test_what_sees_everything_is_global(function):
    network = Network(function, nn.GroupNorm(2, 4)).eval()
    assert list(receptive_fields(network, SIZE).values())[-1].status == "global"


def test_pool_of_a_constant_size_is_local_even_where_it_covers_the_map():
    network = Network(lambda n, x: F.avg_pool2d(x, (9, 11))).eval()
    last = list(receptive_fields(network, SIZE).values())[-1]
    assert (last.status, last.size, last.start) == ("exact", (19, 23), (-1, -1))


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: torch.roll(x, 1, 2),
        lambda n, x: F.interpolate(x, scale_factor=2),
        lambda n, x: torch.fft.fft2(x).abs(),
        lambda n, x: n.rest(torch.roll(x, 1, 2)),
        lambda n, x: x[:, :, 3],
        lambda n, x: torch.matmul(x, x.transpose(2, 3)),
    ],
    ids=["roll", "upsampling", "fft", "after", "row", "product"],
)
def test_what_is_not_known_is_unknown(function):
    network = Network(function, nn.Conv2d(4, 4, 3)).eval()
    assert list(receptive_fields(network, SIZE).values())[-1].status == "unknown"


def test_constant_operand_changes_nothing():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.scale = nn.Conv2d(3, 4, 3), nn.Parameter(torch.ones(4, 1, 1))

        def forward(self, x):
            return self.scale * self.conv(x) + 1

    fields = receptive_fields(Scaled().eval(), SIZE)
    assert fields["mul"] == fields["add"] == fields["conv"]


def test_normalisation_by_the_batch_is_unknown():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).eval()
    assert receptive_fields(network, SIZE)["1"].status == "unknown"
