"""A network whose ReLU6 saturates, from the images to the ranking, against plain PyTorch."""

import numpy as np
import pytest
import torch

from pipeline import store
from pipeline.extraction.extraction import extract
from pipeline.formats.activations import open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import read_second_ranking
from pipeline.formats.topk import open_topk
from pipeline.formats.weights import Description
from pipeline.images.decoding import decode
from pipeline.images.network_input import normalise, prepare
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from stages import topk
from tests.small.extraction import PREPROCESSING, recipe

SOURCE = """
import torch
from torch import nn
import torch.nn.functional as F

class Saturated(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.first, self.act, self.pool = nn.Conv2d(3, 6, 5, 2), nn.ReLU6(inplace=True), nn.MaxPool2d(2)
        self.second, self.hidden, self.head = nn.Conv2d(6, 5, 3), nn.Linear(5, 7), nn.Linear(7, classes)

    def forward(self, images):
        maps = self.pool(self.act(10 * self.first(images)))
        maps = torch.clamp(3 * self.second(maps), 0, 1)
        return self.head(F.hardsigmoid(self.hidden(10 * maps.mean((2, 3)))))

def build(classes): return Saturated(classes)
"""
RANKED = {"act": "mul", "clamp": "mul_1", "hardsigmoid": "hidden"}
K = 9


@pytest.fixture(scope="module")
def made(inputs, workers):
    """The activations of the network, and its ranking."""
    torch.manual_seed(0)
    (inputs / "network").mkdir()
    (inputs / "network" / "own.py").write_text(SOURCE)
    architecture = "own.py:build"
    network = build_network(architecture, 3, inputs).eval()
    description = Description(
        architecture=architecture, weights="random", classes=("a", "b", "c"), preprocessing=PREPROCESSING
    )
    save_network(inputs / "bounded", network, description, inputs)
    extract(
        inputs / "manifest.h5", recipe(inputs / "bounded"), inputs / "activations", {"manifest": "00" * 32},
        shard_mean=8, shard_largest=16, candidates=0,
    )  # fmt: skip
    paths = {name: inputs / name for name in ("activations",)} | {"manifest": inputs / "manifest.h5"}
    paths |= {"weights": inputs / "bounded", "out": inputs / "topk.h5", "metrics": inputs / "topk.json"}
    topk.run(topk.Params(k=K, margin=3), paths)
    return inputs


@pytest.fixture(scope="module")
def again(made):
    """The second ranking after a pass in bfloat16."""
    extract(
        made / "manifest.h5", recipe(made / "bounded", precision="bfloat16"), made / "half",
        {"manifest": "00" * 32}, shard_mean=8, shard_largest=16, candidates=K + 3,
    )  # fmt: skip
    return read_second_ranking(made / "half")


@pytest.fixture(scope="module")
def plain(made):
    """What enters and leaves each bounded layer, by plain PyTorch: layer to two arrays (N, U, …)."""
    network = load_network(made / "bounded")
    with open_manifest(made / "manifest.h5") as manifest:
        files = [made / "dataset" / path for path in manifest.path()]
    pixels = np.stack([prepare(decode(file.read_bytes()), PREPROCESSING) for file in files])
    with torch.inference_mode():
        first = 10 * network.first(torch.from_numpy(normalise(pixels, PREPROCESSING)))
        act = first.clamp(0, 6)
        second = 3 * network.second(network.pool(act))
        clamp = second.clamp(0, 1)
        hidden = network.hidden(10 * clamp.mean((2, 3)))
        output = (hidden / 6 + 0.5).clamp(0, 1)
    return {"act": (first, act), "clamp": (second, clamp), "hardsigmoid": (hidden, output)}


def test_layers_know_what_enters_them(made):
    found = recipe(made / "bounded").layers
    assert {layer.name: layer.before for layer in found if layer.by_input} == RANKED
    index = open_activations(made / "activations")
    assert {layer for layer in index.layers if index.layer(layer).ranked_by == "input"} == set(RANKED)


@pytest.mark.parametrize("layer", RANKED)
def test_the_ranking_is_a_brute_force_ranking_by_the_input(made, plain, layer):
    before, after = (values.flatten(2).amax(-1) if values.ndim == 4 else values for values in plain[layer])
    with open_topk(made / "topk.h5") as file:
        found = file.layer(layer)
    best = torch.sort(before, dim=0, descending=True, stable=True)
    np.testing.assert_allclose(found.input[:, :K], best.values[:K].T, rtol=1e-5, atol=1e-5)
    units = np.arange(len(found.value))[:, None]
    np.testing.assert_allclose(before.numpy()[found.image_id, units], found.input, rtol=1e-5, atol=1e-5)
    assert np.mean(found.image_id[:, :K] == best.indices[:K].T.numpy()) > 0.95, "but for rounding"
    np.testing.assert_allclose(found.value, after.numpy()[found.image_id, units], rtol=1e-5, atol=1e-5)
    assert found.count_active.tolist() == (after > 0).sum(0).tolist()
    if layer != "hardsigmoid":
        assert found.count_at_maximum.tolist() == (after == after.amax(0)).sum(0).tolist()
        assert found.count_at_maximum.max() > K, "it saturates, else this shows nothing"


@pytest.mark.parametrize("layer", RANKED)
def test_half_precision_is_ranked_again_by_the_input(made, plain, again, layer):
    before = plain[layer][0]
    before = before.flatten(2).amax(-1) if before.ndim == 4 else before
    found = again.layers[layer]
    best = torch.sort(before, dim=0, descending=True, stable=True)
    np.testing.assert_allclose(found.input[:, :K], best.values[:K].T, rtol=1e-5, atol=1e-5)
    assert np.mean(found.image_id[:, :K] == best.indices[:K].T.numpy()) > 0.95, "but for rounding"


@pytest.mark.parametrize("layer", ["act", "clamp"])
def test_positions_are_where_the_input_is_largest(made, plain, layer):
    before = plain[layer][0]
    with open_topk(made / "topk.h5") as file:
        found = file.layer(layer)
    units = np.arange(len(found.value))[:, None]
    y, x = np.moveaxis(found.position.astype(int), -1, 0)
    np.testing.assert_allclose(before.numpy()[found.image_id, units, y, x], found.input, rtol=1e-5, atol=1e-5)


def test_a_layer_without_a_largest_value_keeps_its_ranking(made):
    shards = store.open_activations(made / "activations")
    with open_topk(made / "topk.h5") as file:
        pool = file.layer("pool")
    values = shards.read("maxima/pool/value")
    assert (
        pool.ranked_by == "output"
        and pool.count_at_maximum.tolist() == (values == values.max(0)).sum(0).tolist()
    )
