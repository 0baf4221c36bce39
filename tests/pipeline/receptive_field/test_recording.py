"""Networks that torch.fx cannot trace, held against the same networks written so that it can."""

import inspect
import math

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers, unfollowed
from pipeline.layers.observer import Observer
from pipeline.receptive_field.fields import outputs, receptive_fields
from pipeline.receptive_field.recording import NotFollowedError, follow
from pipeline.receptive_field.tracing import trace

SIZE = (23, 18)


def padding(size, kernel, stride):
    """TensorFlow's SAME: (left, right, top, bottom)."""
    total = [max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in size]
    return [total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2]


class Same(nn.Conv2d):
    """A convolution with SAME padding: computed from the input's shape, or written down."""

    written = None

    def forward(self, x):
        pads = self.written or padding(x.shape[-2:], self.kernel_size[0], self.stride[0])
        if self.written or sum(pads) > 0:
            x = F.pad(x, pads)
        return F.conv2d(x, self.weight, self.bias, self.stride)


class Net(nn.Module):
    """Functional activations, a shortcut, a module called twice, operators in place."""

    def __init__(self, *, static):
        super().__init__()
        torch.manual_seed(0)
        self.stem = Same(3, 4, 3, 2)
        self.block = nn.Sequential(Same(4, 4, 5, 2), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.relu, self.last, self.fc = nn.ReLU6(inplace=True), Same(4, 6, 3, 2), nn.Linear(6, 5)
        if static:
            self.stem.written = padding(SIZE, 3, 2)
            self.block[0].written = padding((12, 9), 5, 2)
            self.last.written = padding((6, 5), 3, 2)

    def forward(self, x):
        x = F.relu6(self.stem(x))
        x = self.block(x)
        y = self.relu(x / 2)
        y += x
        x = self.relu(self.last(y) - 0.1)
        return self.fc(F.silu(x.mean((2, 3))))


@pytest.fixture(scope="module")
def pair():
    dynamic, static = Net(static=False).eval(), Net(static=True).eval()
    assert trace(dynamic) is None and trace(static) is not None
    return dynamic, static


def test_layers_are_those_of_the_network_written_statically(pair):
    dynamic, static = (describe_layers(network, SIZE) for network in pair)
    assert dynamic == static
    assert [layer.receptive_field.rows for layer in dynamic] == [
        layer.receptive_field.rows for layer in static
    ]
    assert "add" in [layer.name for layer in dynamic]
    assert code_layer(pair[0], SIZE) == code_layer(pair[1], SIZE) == "silu"
    assert unfollowed(dynamic) is None


@pytest.mark.parametrize("count", [1, 3, 64])
def test_values_are_those_of_the_network_to_the_last_bit(pair, count):
    images, seen = torch.randn(count, 3, *SIZE), ({}, {})
    names = [layer.name for layer in describe_layers(pair[1], SIZE)]
    with torch.inference_mode():
        for network, found in zip(pair, seen, strict=True):
            logits = Observer(network, names).forward(
                images, lambda name, value, found=found: found.update({name: value.clone()})
            )
            assert torch.equal(logits, network(images))
    assert list(seen[0]) == list(seen[1]) == names
    assert all(torch.equal(seen[0][name], seen[1][name]) for name in names)


def test_one_observer_takes_batches_of_any_length_and_size(pair):
    observer, shapes = Observer(pair[0], ["block.0.conv2d"]), []
    for count, size in ((4, SIZE), (1, SIZE), (7, SIZE), (2, (16, 32))):
        observer.forward(torch.randn(count, 3, *size), lambda _, value: shapes.append(tuple(value.shape)))
    assert shapes == [(4, 4, 6, 5), (1, 4, 6, 5), (7, 4, 6, 5), (2, 4, 4, 8)]


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_graph_is_the_one_that_torch_fx_makes(name):
    extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    network = torchvision.models.get_model(name, weights=None, **extra).eval()
    image = torch.rand(1, 3, 64, 64)
    found, expected = (
        {graph.names[output.node]: output for output in outputs(graph, image)}
        for graph in (follow(network, image), trace(network))
    )
    assert list(found) == list(expected)
    for key, output in found.items():
        assert output.receptive_field == expected[key].receptive_field
        assert output.receptive_field.rows == expected[key].receptive_field.rows


class Forward(nn.Module):
    """A convolution, then any function of its output; then one more."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.LayerNorm(4)
        self.more = [nn.ReLU(), nn.AvgPool2d(2)]
        self.last = nn.Conv2d(4, 2, 3)
        self.function = function

    def forward(self, x):
        x = self.conv(x)
        # Where the number of rows is not known, this cannot be traced.
        assert int(x.shape[-1]) > 0
        return self.last(self.function(self, x))


def over_a_list(net, x):
    for module in net.more:
        x = module(x)
    return x


def odd(_, x):
    return F.pad(x, (1, 1, 1, 1)) if x.shape[-2] % 2 else x


def normalised(net, x):
    return net.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def rearranged(_, x):
    n, c, h, w = map(int, x.shape)
    return x.reshape(n, 2, c // 2, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)


@torch.jit.ignore
def ignored(x):
    return x * len([size for size in x.shape if size > 4])


def written_into(_, x):
    half = x[:, :2]
    half.mul_(F.avg_pool2d(x, 3, 1, 1)[:, :2])
    return x


def assigned(_, x):
    whole = torch.zeros(x.shape)
    whole[:, :, 1:] = x[:, :, :-1]
    return whole


@torch.jit.script
def scripted(x):
    return x.roll(1, 2)


FOLLOWED = {
    "a branch on a size": (odd, "exact", (5, 5), (1, 1)),
    "modules in a list": (over_a_list, "exact", (8, 8), (2, 2)),
    "normalised over channels": (normalised, "exact", (5, 5), (1, 1)),
    "rearranged": (rearranged, "exact", (5, 5), (1, 1)),
    "ignored by TorchScript": (lambda _, x: ignored(x), "exact", (5, 5), (1, 1)),
    "pooled to the size of the map": (lambda _, x: x * F.avg_pool2d(x, x.shape[2:]), "global", SIZE, (0, 0)),
    "written into through a view": (written_into, "unknown", SIZE, (0, 0)),
    "assigned to": (assigned, "unknown", SIZE, (0, 0)),
    "compiled": (lambda _, x: scripted(x), "unknown", SIZE, (0, 0)),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_torch_fx_cannot_trace_is_followed(name):
    function, *expected = FOLLOWED[name]
    network = Forward(function).eval()
    assert trace(network) is None
    last = receptive_fields(network, SIZE)["last"]
    assert [last.status, last.size, last.stride] == expected
    assert bool(last.reason) == (last.status == "unknown")
    assert not last.reason.startswith("watched through hooks")
    images = torch.randn(2, 3, *SIZE)
    with torch.inference_mode():
        logits = Observer(network, ["last"]).forward(images, lambda *_: None)
        assert torch.equal(logits, network(images))


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda _, x: x if x.sum() > 0 else -x, "bool"),
        (lambda _, x: x * x.max().item(), "item"),
        (lambda _, x: x * float(x.max()), "float"),
        (lambda _, x: torch.from_numpy(x.detach().numpy()), "numpy"),
        (lambda _, x: x * x.flatten()[:1].tolist()[0], "tolist"),
    ],
)  # fmt: skip
def test_what_depends_on_values_is_said_with_its_line(function, what):
    network = Forward(function).eval()
    line = inspect.getsourcelines(function)[1]
    with pytest.raises(
        NotFollowedError, match=rf"test_recording\.py:{line}: .*\({what} of a tensor\); write torch"
    ):
        follow(network, torch.rand(1, 3, *SIZE))
    layers = describe_layers(network, SIZE)
    assert unfollowed(layers).startswith("watched through hooks: ")
    assert {layer.receptive_field.status for layer in layers} == {"unknown"}


def test_network_whose_way_depends_on_the_number_of_images_is_refused():
    network = Forward(lambda _, x: x + 1 if int(x.shape[0]) > 1 else x).eval()
    observer = Observer(network, ["last"])
    observer.forward(torch.rand(1, 3, *SIZE), lambda *_: None)
    with pytest.raises(UserError, match="with another number of images the network does other things"):
        observer.forward(torch.rand(2, 3, *SIZE), lambda *_: None)


def test_following_leaves_mode_hooks_and_network_alone():
    network = Forward(odd).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    follow(network, torch.rand(1, 3, *SIZE))
    assert network.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_line_of_a_network_that_does_not_run_is_the_users():
    network = Forward(lambda _, x: x.reshape(1, 3, -1)).eval()
    with pytest.raises(
        UserError, match=r"does not run on an input of 23x18 pixels: .*test_recording\.py:\d+: RuntimeError"
    ):
        describe_layers(network, SIZE)


def test_modules_that_torchscript_compiled_are_passed_over():
    network = Forward(lambda net, x: net.compiled(x))
    network.compiled = torch.jit.script(nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()))
    fields = receptive_fields(network.eval(), SIZE)
    assert list(fields) == ["conv", "last"]
    assert fields["conv"].status == "exact"
    assert (fields["last"].status, fields["last"].reason) == (
        "unknown", "it enters what no operation of PyTorch was seen to make (TorchScript, NumPy)",
    )  # fmt: skip
    network.function = lambda net, x: net.compiled(x) if x.sum() > 0 else x
    assert unfollowed(describe_layers(network, SIZE)) is not None


def test_bare_except_hides_nothing():
    def hidden(_, x):
        try:
            return x if x.sum() > 0 else -x
        except:  # noqa: E722 - as users write it
            return x

    with pytest.raises(NotFollowedError, match="bool of a tensor"):
        follow(Forward(hidden).eval(), torch.rand(1, 3, *SIZE))
