"""Looking at layers, editing them, stopping and gradients, held against plain PyTorch to the last bit."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.errors import UserError
from pipeline.layers.running import Runner, without_rounding
from pipeline.receptive_field.tracing import trace


class Plain(nn.Module):
    """In-place and functional operations, and one module that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.inner = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.fc = nn.ReLU(inplace=True), nn.Linear(4, 5)

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.relu(self.inner(x).sub_(0.1))
        return self.fc(x.mean((2, 3)))


class Forked(Plain):
    """The same numbers on a way that torch.fx cannot trace."""

    def forward(self, x):
        return super().forward(x if x.mean() < 1e9 else -x)


class Shaped(Plain):
    """The same numbers; torch.fx cannot trace it, but it can be followed while it runs."""

    def forward(self, x):
        return super().forward(x if x.shape[-1] % 2 == 0 else F.pad(x, (0, 1, 0, 1)))


@pytest.fixture(params=[Plain, Shaped, Forked], ids=["traced", "followed", "hooked"])
def network(request):
    torch.manual_seed(0)
    network = request.param().eval().requires_grad_(False)
    assert (trace(network) is None) == (request.param is not Plain)
    return network


@pytest.fixture
def images():
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def steps(network, x):
    """Every output of the network, none of them overwritten."""
    conv = network.conv(x.contiguous(memory_format=torch.channels_last))
    relu = conv.relu()
    inner = network.inner(relu)
    last = (inner - 0.1).relu()
    logits = network.fc(last.mean((2, 3)))
    return {"conv": conv, "relu": relu, "inner": inner, "relu_1": last, "logits": logits}


def test_outputs_are_those_that_were_computed(network, images):
    names = ["conv", "relu", "inner", "relu_1"]
    outputs = Runner(network, names).run(images)
    expected = steps(network, images)
    assert list(outputs.layers) == names
    assert all(torch.equal(outputs.layers[name], expected[name]) for name in names)
    assert torch.equal(outputs.logits, expected["logits"])
    assert not outputs.logits.requires_grad


def test_no_hook_stays(network, images):
    runner = Runner(network, ["conv"], edits={"inner": torch.zeros_like}, until="relu_1")
    runner.run(images)
    runner.gradient(images, lambda outputs: outputs.layers["conv"].sum((1, 2, 3)))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_network_goes_on_with_what_an_edit_returns(network, images):
    runner = Runner(network, ["relu", "inner"], edits={"relu": lambda value: value * 2 + 1})
    outputs = runner.run(images)
    relu = network.conv(images).relu() * 2 + 1
    assert torch.equal(outputs.layers["relu"], relu)
    assert torch.equal(outputs.layers["inner"], network.inner(relu))
    assert torch.equal(Runner(network).run(images).logits, steps(network, images)["logits"])


def test_edit_of_one_call_of_a_module_leaves_the_other(network, images):
    outputs = Runner(network, ["relu"], edits={"relu_1": torch.zeros_like}).run(images)
    assert torch.equal(outputs.layers["relu"], network.conv(images).relu())
    assert torch.equal(outputs.logits, network.fc(torch.zeros(2, 4)))


def test_edit_may_change_and_keep_what_it_is_given(network, images):
    kept = []
    Runner(network, edits={"conv": lambda value: kept.append(value) or value.clone().zero_()}).run(images)
    assert torch.equal(kept[0], steps(network, images)["conv"])


def test_edit_reaches_those_who_name_the_operand_of_an_in_place_operation(images):
    class Renamed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x):
            x = self.conv(x)
            F.relu_(x)
            return self.fc(x.mean((2, 3)))

    network = Renamed().eval()
    outputs = Runner(network, edits={"relu_": torch.zeros_like}).run(images)
    assert torch.equal(outputs.logits, network.fc(torch.zeros(2, 4)))


def test_pass_stops_after_a_layer(network, images):
    later, runner = [], Runner(network, ["conv", "inner"], until="inner")
    # Before its first pass, a network that is followed runs once as a whole, on one image.
    runner.run(images)
    network.fc.register_forward_hook(lambda *_: later.append(1))
    outputs = runner.run(images)
    assert outputs.logits is None and not later
    assert torch.equal(outputs.layers["inner"], steps(network, images)["inner"])


def by_hand(network, images, pick, of=None):
    """The gradient of a sum by autograd, on operations that are not in place."""
    images = images.clone().requires_grad_()
    found = steps(network, images)
    source = images if of is None else found[of]
    return torch.autograd.grad(pick(found).sum(), source)[0]


@pytest.mark.parametrize("of", [None, "conv", "relu", "inner", "relu_1"])
def test_gradient_of_a_class_score(network, images, of):
    found = Runner(network, ["relu"]).gradient(images, lambda outputs: outputs.logits[:, 3], of)
    expected = by_hand(network, images, lambda outputs: outputs["logits"][:, 3], of)
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=1e-9)
    assert torch.equal(found.score, steps(network, images)["logits"][:, 3])
    assert torch.equal(found.outputs.layers["relu"], steps(network, images)["relu"])
    assert not images.requires_grad and not found.outputs.logits.requires_grad


@pytest.mark.parametrize("of", [None, "conv"])
def test_gradient_of_a_unit(network, images, of):
    runner = Runner(network, ["inner"], until="inner")
    found = runner.gradient(images, lambda outputs: outputs.layers["inner"][:, 2].amax((1, 2)), of)
    expected = by_hand(network, images, lambda outputs: outputs["inner"][:, 2].amax((1, 2)), of)
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=1e-9)


def test_gradient_passes_through_an_edit(network, images):
    runner = Runner(network, ["relu"], edits={"relu": lambda value: 3 * value})
    found = runner.gradient(images, lambda outputs: outputs.layers["relu"].sum((1, 2, 3)))
    expected = by_hand(network, images, lambda outputs: 3 * outputs["relu"])
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=1e-9)


def test_gradient_is_zero_where_nothing_depends_on_the_source(network, images):
    runner = Runner(network, ["conv", "inner"])
    found = runner.gradient(images, lambda outputs: outputs.layers["conv"].sum((1, 2, 3)), "inner")
    assert found.value.shape == (2, 4, 6, 6) and not found.value.any()
    constant = Runner(network, edits={"inner": torch.ones_like})
    assert constant.gradient(images, lambda outputs: outputs.logits[:, 0], "inner").value.any()
    assert not constant.gradient(images, lambda outputs: outputs.logits[:, 0]).value.any()


def test_what_rounding_leaves_of_a_gradient_is_zero():
    gradient = torch.tensor(
        [[[[4.0, -4e-7], [1e-6, 0.0]]], [[[1e-30, 1e-37], [-1e-36, 0.0]]], [[[0.0] * 2] * 2]]
    )
    gradient[0, 0, 1, 1], gradient[1, 0, 1, 1] = -2.5e-6, 1e-35
    found = without_rounding(gradient)
    assert found[0, 0].tolist() == [[4.0, 0.0], [0.0, gradient[0, 0, 1, 1].item()]]
    assert found[1, 0].ne(0).tolist() == [[True, False], [True, True]]
    assert not found[2].any()


def test_gradient_of_a_layer_that_the_pass_does_not_reach(network, images):
    with pytest.raises(UserError, match="no gradient of layer 'relu_1': the pass was stopped before it"):
        Runner(network, ["conv"], until="conv").gradient(
            images, lambda outputs: outputs.layers["conv"].sum((1, 2, 3)), "relu_1"
        )


def test_gradients_within_inference_mode(network, images):
    with torch.inference_mode():
        inputs = images.clone()
        found = Runner(network).gradient(inputs, lambda outputs: outputs.logits[:, 0])
    assert found.value.any()


class Deconvolved(torch.autograd.Function):
    """The deconvnet's rule at a ReLU: its output as it is, the positive part of the signal to its input."""

    @staticmethod
    def forward(ctx, before, after):
        return after.clone()

    @staticmethod
    def backward(ctx, signal):
        return signal.relu(), None


def test_another_backward_rule_is_two_edits(images):
    torch.manual_seed(0)
    network, before = Plain().eval(), {}

    def keep(value):
        before["relu_1"] = value
        return value

    edits = {"sub_": keep, "relu_1": lambda value: Deconvolved.apply(before["relu_1"], value)}
    found = Runner(network, edits=edits).gradient(images, lambda outputs: outputs.logits[:, 3], "inner")
    signal = (network.fc.weight[3] / 36).relu()[:, None, None]
    torch.testing.assert_close(found.value, signal.expand(2, 4, 6, 6), rtol=1e-6, atol=0)


def test_unknown_layer(network, images):
    with pytest.raises(UserError, match="no layer matches 'cnv'"):
        Runner(network, edits={"cnv": torch.zeros_like}).run(images)
