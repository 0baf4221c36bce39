"""Backward rules held against captum's, and against the same network written with modules."""

import pytest
import torch
import torch.nn.functional as F
from captum.attr import NeuronDeconvolution, NeuronGuidedBackprop
from torch import nn
from torchvision import models

from pipeline.layers.rules import NoRuleError
from pipeline.layers.running import Runner

ORACLES = {"deconvnet": NeuronDeconvolution, "guided_backprop": NeuronGuidedBackprop}


def neuron(layer, unit, place=()):
    return lambda outputs: outputs.layers[layer][(slice(None), unit, *place)]


def by_captum(network, layer, inputs, rule, unit, place=()):
    """The signal by captum, which knows ReLUs that are modules, called once each and not in place."""
    module = network.get_submodule(layer)
    return ORACLES[rule](network, module).attribute(inputs, (unit, *place))


def modular(network):
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network.eval().requires_grad_(False)


def close_to_largest(found, expected):
    """Within 1e-5 of the largest value: the maps themselves are of that order."""
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


# Pools of AlexNet overlap, those of VGG do not. A few cases of each are cheap; whole images are not.
CASES = [
    pytest.param("alexnet", 95, layer, place, id=f"alexnet-{layer}")
    for layer, place in [
        ("features.1", (5, 7)), ("features.5", (1, 2)), ("features.12", (0, 1)), ("classifier.5", ()),
    ]
] + [
    pytest.param("vgg11", 64, layer, place, id=f"vgg11-{layer}")
    for layer, place in {"features.5": (3, 4), "features.20": (0, 1)}.items()
] + [
    pytest.param(name, 224, layer, place, id=f"{name}-224-{layer}", marks=pytest.mark.slow)
    for name, layer, place in [
        ("alexnet", "features.12", (2, 3)), ("alexnet", "classifier.6", ()), ("vgg16", "features.30", (3, 2)),
        ("vgg16", "classifier.6", ()),
    ]
]  # fmt: skip


@pytest.mark.parametrize("rule", ORACLES)
@pytest.mark.parametrize(("name", "side", "layer", "place"), CASES)
def test_signal_is_that_of_captum(name, side, layer, place, rule):
    torch.manual_seed(0)
    network = modular(getattr(models, name)(weights=None))
    # As the runner lays them out: in another layout last bits differ, and with them switches of pools.
    inputs = torch.randn(2, 3, side, side).contiguous(memory_format=torch.channels_last)
    runner = Runner(network, [layer], until=layer)
    outputs = runner.run(inputs).layers[layer]
    unit = int(outputs[(slice(None), slice(None), *place)].amin(0).argmax())
    # Guided backpropagation passes nothing of a neuron that is not active.
    assert outputs[(slice(None), unit, *place)].min() > 0
    found = runner.gradient(inputs, neuron(layer, unit, place), rule=rule).value
    close_to_largest(found, by_captum(network, layer, inputs.requires_grad_(), rule, unit, place))


class Modules(nn.Module):
    """Every operation is a module of its own, so that captum can be held against it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU()
        self.pool, self.inner, self.relu_1 = nn.MaxPool2d(3, 2), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU()
        self.again, self.relu_2 = nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        self.gate, self.fc = nn.Conv2d(8, 8, 1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.conv(x))))
        x = self.relu_1(self.inner(x) + x)
        x = self.relu_2(self.again(x))
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.fc(x.mean((2, 3)))


class Functions(Modules):
    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.conv(x))))
        x = torch.relu(self.inner(x) + x)
        x = self.again(x).clamp(min=0)
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.fc(x.mean((2, 3)))


class InPlace(Modules):
    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        x = self.pool(x)
        y = self.inner(x)
        y += x
        y.relu_()
        x = F.threshold(self.again(y), 0, 0, inplace=True)
        x *= torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.fc(x.mean((2, 3)))


class Reused(Modules):
    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.conv(x))))
        x = self.relu(self.inner(x) + x)
        x = self.relu(self.again(x))
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.fc(x.mean((2, 3)))


class Shaped(InPlace):
    """Followed while it runs."""

    def forward(self, x):
        return super().forward(x if x.shape[-1] % 2 == 1 else F.pad(x, (0, 1, 0, 1)))


class Steered(Functions):
    """Watched through hooks."""

    def forward(self, x):
        return super().forward(x if x.mean() < 1e9 else -x)


def made(kind):
    torch.manual_seed(0)
    network = kind().eval()
    with torch.no_grad():
        network.norm.running_mean.normal_()
        network.norm.running_var.uniform_(0.5, 2)
        network.norm.weight.normal_()
    return network


INPUTS = torch.randn(3, 3, 15, 15, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("rule", ORACLES)
@pytest.mark.parametrize("kind", [Modules, Functions, InPlace, Reused, Shaped, Steered])
def test_rectifiers_are_treated_alike_however_they_are_written(kind, rule):
    expected = by_captum(made(Modules), "fc", INPUTS.clone().requires_grad_(), rule, 2)
    runner = Runner(made(kind), ["conv"])
    found = runner.gradient(INPUTS, lambda outputs: outputs.logits[:, 2], rule=rule).value
    close_to_largest(found, expected)
    plain = runner.gradient(INPUTS, lambda outputs: outputs.logits[:, 2]).value
    assert (plain - found).abs().max() > 1e-2 * expected.abs().max()


def test_several_signals_through_one_pass_are_those_of_one_each():
    def score(unit):
        return lambda outputs: outputs.logits[:, unit]

    runner, rules = Runner(made(Reused)), ["deconvnet", "gradient", "guided_backprop"]
    wanted = [(score(unit), rule) for unit in (0, 3) for rule in rules]
    for (one, rule), found in zip(wanted, runner.gradients(INPUTS, wanted), strict=True):
        assert torch.equal(found.value, runner.gradient(INPUTS, one, rule=rule).value)
        assert torch.equal(found.score, one(runner.run(INPUTS)))


def test_network_is_left_as_it_was():
    network = made(InPlace)
    before = network(INPUTS)
    Runner(network).gradient(INPUTS, lambda outputs: outputs.logits[:, 0], rule="deconvnet")
    assert torch.equal(network(INPUTS), before)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    plain = torch.autograd.functional.jacobian(lambda x: network(x)[:, 0].sum(), INPUTS)
    torch.testing.assert_close(plain, Runner(network).gradient(INPUTS, lambda o: o.logits[:, 0]).value)


@pytest.mark.parametrize("rule", ["gradient", *ORACLES])
def test_a_rectifier_that_is_bounded_passes_what_it_does_not_cut_off(rule):
    value = torch.tensor([-1.0, 1.0, 7.0, -1.0, 1.0, 7.0])
    signal = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])

    class Bounded(nn.Module):
        def forward(self, x):
            return F.relu6(x).flatten(1) * signal

    sums = lambda outputs: outputs.logits.sum(1)  # noqa: E731
    found = Runner(Bounded()).gradients(value.view(1, 1, 1, 6), [(sums, rule), (sums, "deconvnet")])[0].value
    passes = {
        "gradient": [0, 1, 0, 0, -1, 0],
        "deconvnet": [1, 1, 1, 0, 0, 0],
        "guided_backprop": [0, 1, 0, 0, 0, 0],
    }[rule]  # fmt: skip
    assert found.flatten().tolist() == passes


class Around(nn.Module):
    """One activation between a ReLU and the logits."""

    def __init__(self, activation):
        super().__init__()
        self.conv, self.relu, self.middle, self.fc = (
            nn.Conv2d(3, 4, 3),
            nn.ReLU(),
            nn.Module(),
            nn.Linear(4, 2),
        )
        if isinstance(activation, nn.Module):
            self.act = activation
        else:
            self.function = activation

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.act(x) if hasattr(self, "act") else self.function(x)
        return self.fc(x.mean((2, 3)))


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * (x > 0)

    @staticmethod
    def backward(ctx, signal):
        return signal


class Calling(Own):
    @staticmethod
    def forward(ctx, x):
        return x.relu()


def unfollowed(function):
    """A function that torch.fx cannot look into."""
    return lambda x: function(x if x.shape[-1] > 1 else -x)


@torch.jit.script
def compiled(x):
    return torch.relu(x - 1)


class Compiled(nn.Module):
    def forward(self, x):
        return torch.relu(x - 1)


REFUSED = {
    "module": (nn.LeakyReLU(), "act: leaky_relu is no rectifier"),
    "function": (F.silu, "silu: silu is no rectifier"),
    "in place": (lambda x: torch.tanh_(x.clone()), "tanh_: tanh is no rectifier"),
    "two sides": (nn.Hardtanh(), "act: hardtanh is no rectifier"),
    "gates itself": (lambda x: x * torch.sigmoid(x), "what is multiplied by its own sigmoid"),
    "own function": (unfollowed(Own.apply), "Own is an autograd function of the network's own"),
    "within its own": (unfollowed(Calling.apply), "relu is called where no gradient is kept"),
    "compiled function": (compiled, "cannot be seen"),
    "compiled module": (torch.jit.script(Compiled()), "cannot be seen"),
}


@pytest.mark.parametrize("rule", ORACLES)
@pytest.mark.parametrize("refused", REFUSED)
def test_what_has_no_rule_is_refused_by_its_name(refused, rule):
    activation, message = REFUSED[refused]
    torch.manual_seed(0)
    runner = Runner(Around(activation).eval(), ["relu"])
    for _ in range(2):  # TorchScript compiles anew the second time
        with pytest.raises(NoRuleError, match=message):
            runner.gradient(INPUTS, lambda outputs: outputs.logits[:, 0], rule=rule)
    assert runner.gradient(INPUTS, lambda outputs: outputs.logits[:, 0]).value.any()
    # Up to the ReLU there is nothing against it.
    early = Runner(Around(activation).eval(), ["relu"], until="relu")
    assert early.gradient(
        INPUTS, lambda outputs: outputs.layers["relu"].sum((1, 2, 3)), rule=rule
    ).value.any()


def test_gates_alone_are_no_rectifiers():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(4 * 169, 2)).eval()
    with pytest.raises(NoRuleError, match="there are gates, but no rectifier"):
        Runner(network).gradient(INPUTS, lambda outputs: outputs.logits[:, 0], rule="deconvnet")


def test_without_any_activation_every_rule_is_the_gradient():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(3, 2), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()
    score = lambda outputs: outputs.logits[:, 0]  # noqa: E731
    found = Runner(network).gradients(INPUTS, [(score, "gradient"), (score, "deconvnet")])
    assert torch.equal(found[0].value, found[1].value)
