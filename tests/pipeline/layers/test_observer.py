import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.errors import UserError
from pipeline.layers.observer import Observer
from pipeline.model.architectures import CifarResNet, Digits
from tests.small.forked import Forked


class InPlace(nn.Module):
    """Each of its layers is overwritten by the next one."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.fc = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Linear(4, 5)

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = F.relu_(x.sub_(0.1))
        x = x.add_(1)
        return self.fc(x.mean((2, 3)))


def outputs(network, names, images):
    seen = {}
    with torch.inference_mode():
        logits = Observer(network, names).forward(
            images, lambda name, value: seen.__setitem__(name, value.clone())
        )
    return logits, seen


def test_outputs_are_seen_before_they_are_overwritten():
    network, images = InPlace().eval(), torch.randn(2, 3, 8, 8)
    logits, seen = outputs(network, ["conv", "relu", "sub_", "relu_", "add_"], images)
    conv = F.conv2d(images, network.conv.weight, network.conv.bias)
    assert torch.equal(seen["conv"], conv)
    assert torch.equal(seen["relu"], conv.relu())
    assert torch.equal(seen["sub_"], conv.relu() - 0.1)
    assert torch.equal(seen["relu_"], (conv.relu() - 0.1).relu())
    assert torch.equal(seen["add_"], (conv.relu() - 0.1).relu() + 1)
    assert torch.equal(logits, network(images))


@pytest.mark.parametrize("network", [Digits(), CifarResNet()], ids=["digits", "cifar"])
def test_logits_are_those_of_the_network(network):
    network, images = network.eval(), torch.randn(3, 3, 32, 32)
    assert torch.equal(outputs(network, [], images)[0], network(images))


def test_layers_come_once_and_in_order():
    order = []
    Observer(Digits().eval(), ["classifier.1", "features.2", "features.0"]).forward(
        torch.randn(1, 3, 32, 32), lambda name, value: order.append(name)
    )
    assert order == ["features.0", "features.2", "classifier.1"]


def test_values_are_forgotten_as_soon_as_nothing_needs_them():
    network, made, alive = Digits().eval(), [], []
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _module, _inputs, output: made.append(weakref.ref(output)))

    def visit(name, _value):
        alive.append((name, len(made), sum(output() is not None for output in made)))

    with torch.inference_mode():
        Observer(network, ["features.3", "features.8"]).forward(torch.randn(1, 3, 32, 32), visit)
    # Of all that was made so far, the layer and what it was made from.
    assert alive == [("features.3", 4, 2), ("features.8", 9, 2)]


def test_unknown_layer():
    with pytest.raises(UserError, match=r"no layer matches 'features\.99'"):
        Observer(Digits().eval(), ["features.99"])


def test_half_precision_and_channels_last():
    network = Digits().eval().to(torch.bfloat16, memory_format=torch.channels_last)
    images = torch.randn(2, 3, 32, 32, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    _, seen = outputs(network, ["features.1"], images)
    assert seen["features.1"].dtype == torch.bfloat16
    assert seen["features.1"].is_contiguous(memory_format=torch.channels_last)


def test_network_may_change_after_the_observer_was_made():
    network, images = InPlace().eval(), torch.randn(1, 3, 8, 8)
    observer = Observer(network, ["conv"])
    network.to(torch.float64)
    assert observer.forward(images.double(), lambda name, value: None).dtype == torch.float64


def test_network_that_cannot_be_traced_is_watched_by_hooks():
    network, images = Forked().eval(), torch.randn(2, 3, 8, 8)
    logits, seen = outputs(network, ["conv", "relu", "relu_1", "fc.input"], images)
    assert torch.equal(seen["conv"], network.conv(images))
    assert torch.equal(seen["relu"], network.conv(images).relu())
    assert seen["relu_1"].shape == (2, 4, 4, 4)
    with torch.inference_mode():
        assert torch.equal(network.fc(seen["fc.input"]), logits)
    assert not network.conv._forward_hooks
    with pytest.raises(UserError, match="no layer matches 'cnv'"):
        outputs(network, ["cnv"], images)


def test_first_output_counts_where_there_are_several():
    class Two(Digits):
        def forward(self, images):
            return {"logits": super().forward(images), "other": images}

    assert outputs(Two().eval(), [], torch.randn(1, 3, 32, 32))[0].shape == (1, 10)


def test_output_that_is_no_tensor():
    class Nothing(Digits):
        def forward(self, images):
            return None

    with pytest.raises(UserError, match="must return a tensor of logits"):
        Observer(Nothing().eval(), []).forward(torch.randn(1, 3, 32, 32), print)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu():
    network = Digits().eval().to("cuda", torch.float16, memory_format=torch.channels_last)
    logits, seen = outputs(
        network, ["features.1"], torch.randn(2, 3, 32, 32, device="cuda", dtype=torch.float16)
    )
    assert logits.is_cuda and seen["features.1"].is_cuda
