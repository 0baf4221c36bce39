"""Shuffling a network's weights from its output down."""

import numpy as np
import torch
from torch import nn

from pipeline.analyses.attribution.shuffling import Cascade, depths

EXAMPLE = np.zeros((1, 3, 8, 8), np.float32)


class Backwards(nn.Module):
    """Registers its layers in another order than it runs them in; one of them never."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 4)
        self.norm = nn.BatchNorm2d(6)
        self.first = nn.Conv2d(3, 6, 3)
        self.unused = nn.Linear(5, 5)

    def forward(self, x):
        return self.last(self.norm(self.first(x)).mean((2, 3)))


def network():
    torch.manual_seed(0)
    found = Backwards()
    for tensor in (*found.norm.parameters(), found.norm.running_mean, found.norm.running_var):
        nn.init.uniform_(tensor, 1, 2)
    return found.eval().requires_grad_(False)


def changed(one, other):
    others = other.state_dict()
    return {name for name, values in one.state_dict().items() if not torch.equal(values, others[name])}


def test_layers_go_from_the_last_that_runs_to_the_first_with_what_scales_them():
    whole = network()
    cascade = Cascade(whole, EXAMPLE, seed=0)
    assert cascade.names == ("last", "first", "unused")
    last = {"last.weight", "last.bias"}
    assert changed(cascade.shuffle(1), whole) == last
    first = {f"norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")}
    assert changed(cascade.shuffle(2), whole) == last | first | {"first.weight", "first.bias"}
    assert changed(cascade.shuffle(3), whole) >= {"unused.weight", "first.weight"}
    assert not changed(whole, network())


def test_values_of_a_tensor_stay_and_those_of_a_normalisation_together():
    whole = network()
    shuffled = Cascade(whole, EXAMPLE, seed=3).shuffle(3)
    for name, values in whole.state_dict().items():
        assert torch.equal(values.flatten().sort()[0], shuffled.state_dict()[name].flatten().sort()[0]), name
    pairs = {(a.item(), b.item()) for a, b in zip(whole.norm.running_mean, whole.norm.weight, strict=True)}
    found = shuffled.norm.running_mean, shuffled.norm.weight
    assert {(a.item(), b.item()) for a, b in zip(*found, strict=True)} == pairs


def test_equal_seeds_give_equal_weights_however_many_steps():
    at_once, other = (Cascade(network(), EXAMPLE, seed=seed).shuffle(3) for seed in (1, 2))
    cascade = Cascade(network(), EXAMPLE, seed=1)
    cascade.shuffle(1)
    assert not changed(cascade.shuffle(3), at_once) and changed(at_once, other)


def test_a_tensor_that_two_modules_share_is_shuffled_once():
    shared = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)).eval().requires_grad_(False)
    shared[1].weight = shared[0].weight
    shuffled = Cascade(shared, EXAMPLE, seed=0).shuffle(1)
    assert shuffled[1].weight is shuffled[0].weight
    once = shuffled[0].weight.clone()
    again = Cascade(shared, EXAMPLE, seed=0).shuffle(2)
    assert torch.equal(again[0].weight, once)


def test_depths_reach_from_the_last_layer_to_all():
    assert depths(6, 3) == [1, 4, 6]
    assert depths(2, 5) == [1, 2]
    assert depths(7, 1) == [7]
    assert depths(1, 3) == [1]
