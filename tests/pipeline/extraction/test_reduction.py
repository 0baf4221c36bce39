from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.errors import UserError
from pipeline.extraction.recipe import Recipe
from pipeline.extraction.reduction import Reducer, code_of, count_nonzero, maxima, merge
from pipeline.layers.layers import code_layer, describe_layers

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


class Small(nn.Module):
    """Two convolutions with in-place and functional activations, so that a late look sees other numbers."""

    def __init__(self):
        super().__init__()
        self.first, self.act = nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True)
        self.second, self.pool = nn.Conv2d(5, 4, 3, padding=1), nn.MaxPool2d(2)
        self.hidden, self.last = nn.Linear(36, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.act(self.first(x))
        x = self.pool(torch.relu_(self.second(x)))
        return self.last(torch.relu(self.hidden(x.flatten(1))))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Small().eval()


def recipe(layers, code, *, means=False):
    return Recipe(Path(), "", layers, code, 4, "float32", statistics=True, means=means, device="cpu")


def by_hand(network, inputs):
    """The same numbers with out-of-place operations and plain reductions."""
    first = network.first(inputs)
    act = torch.relu(first)
    second = network.second(act)
    relu = torch.relu(second)
    pool = network.pool(relu)
    hidden = network.hidden(pool.flatten(1))
    code = torch.relu(hidden)
    return {
        "first": first,
        "act": act,
        "second": second,
        "relu_": relu,
        "pool": pool,
        "hidden": hidden,
        "relu": code,
    }


@pytest.fixture(scope="module")
def reduced(network):
    inputs = torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    layers = describe_layers(network, 8)
    reducer = Reducer(network, recipe(layers, code_layer(network, 8), means=True))
    return (
        inputs,
        {layer.name: layer for layer in layers},
        merge([reducer.run(inputs[:4]), reducer.run(inputs[4:])]),
    )


def test_maxima_positions_and_means_are_those_of_the_maps(network, reduced):
    inputs, layers, (rows, _) = reduced
    for name, value in by_hand(network, inputs).items():
        if layers[name].kind == "dense":
            np.testing.assert_allclose(rows[f"maxima/{name}/value"], value.detach(), atol=1e-6)
            assert not rows[f"maxima/{name}/position"].any()
            continue
        peak, place = value.flatten(2).max(-1)
        width = value.shape[3]
        np.testing.assert_allclose(rows[f"maxima/{name}/value"], peak.detach(), atol=1e-6)
        active = (peak > 0).numpy()
        expected = torch.stack([place // width, place % width], -1).numpy()
        np.testing.assert_array_equal(rows[f"maxima/{name}/position"][active], expected[active])
        np.testing.assert_allclose(rows[f"mean/{name}"], value.mean((2, 3)).detach(), atol=1e-6)


def test_statistics_count_zeros_and_keep_the_largest_pre_activation(network, reduced):
    inputs, _, (_, totals) = reduced
    maps = by_hand(network, inputs)
    for before, after in (("first", "act"), ("second", "relu_")):
        zeros = (maps[after] == 0).sum((0, 2, 3))
        assert totals[f"stats/{after}/zeros"].tolist() == zeros.tolist()
        assert totals[f"stats/{after}/outputs"] == maps[after][:, 0].numel()
        largest = maps[before].amax((0, 2, 3)).detach()
        np.testing.assert_allclose(totals[f"stats/{after}/largest_before"], largest, atol=1e-6)
    assert totals["stats/relu/zeros"].tolist() == (maps["relu"] == 0).sum(0).tolist()


def test_codes_and_logits_are_those_of_the_network(network, reduced):
    inputs, _, (rows, _) = reduced
    np.testing.assert_allclose(rows["codes"], by_hand(network, inputs)["relu"].detach(), atol=1e-6)
    np.testing.assert_allclose(rows["logits"], network(inputs).detach(), atol=1e-6)
    assert {values.dtype for name, values in rows.items() if "position" not in name} == {np.dtype(np.float32)}


def test_a_dense_layer_keeps_what_it_was_before_an_operation_in_place():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(inplace=True), nn.Linear(8, 2)).eval()
    layers = {layer.name: layer for layer in describe_layers(network, 2)}
    reducer = Reducer(network, recipe((layers["1"], layers["2"]), code_layer(network, 2)))
    inputs = torch.randn(6, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    rows, _ = merge([reducer.run(inputs)])
    before = network[1](inputs.flatten(1)).detach()
    assert (before < 0).any()
    np.testing.assert_allclose(rows["maxima/1/value"], before, atol=1e-6)
    np.testing.assert_allclose(rows["maxima/2/value"], before.clamp(min=0), atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_of_equal_maxima_the_first_in_reading_order_counts(device):
    value = torch.zeros(1, 3, 3, 4, device=device)
    value[0, 0, 1, 2] = value[0, 0, 1, 3] = value[0, 0, 2, 0] = 5
    value[0, 1, 2, 3] = 1
    peak, position = maxima(value.contiguous(memory_format=torch.channels_last))
    assert peak.tolist() == [[5, 1, 0]]
    assert position.tolist() == [[[1, 2], [2, 3], [0, 0]]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_counts_are_exact_beyond_one_piece(dtype):
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(5, 7, 41, 43, generator=generator).clamp_(-0.5, 0.5).add_(-0.5)
    value = value.to(dtype).contiguous(memory_format=torch.channels_last)
    assert count_nonzero(value).tolist() == (value != 0).sum((0, 2, 3)).tolist()


def test_code_of_a_map_is_its_spatial_mean():
    value = torch.arange(24.0).view(1, 2, 3, 4)
    assert code_of(value).tolist() == [[5.5, 17.5]]
    assert code_of(torch.ones(2, 3, 1, 1)).shape == (2, 3)
    assert code_of(torch.ones(2, 3)).shape == (2, 3)
    with pytest.raises(UserError, match="3 dimensions"):
        code_of(torch.ones(2, 3, 4))
