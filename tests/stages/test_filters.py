"""The stage `filters`: weights as they are, measures of a trained network, the same untrained, and noisy."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.formats.filters import open_filters
from pipeline.formats.status import not_run
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import save_network
from pipeline.weights.training import save_checkpoint
from stages import filters

SIDE = 12
SOURCE = """
from torch import nn

def small():
    return nn.Sequential(
        nn.Conv2d(3, 12, 5, padding=2), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 36, 4),
    )

def grey():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 2))

def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(432, 9), nn.ReLU(), nn.Linear(9, 2))

def bare():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
"""
PARAMS = {
    "run": True, "dense_weights": 2000, "noise_smoothness": 0.05, "noise_evenness": 0.95,
    "permutations": 200, "seed": 0,
}  # fmt: skip


def batch(rng):
    """Stripes of a random colour under noise, lying in one of four directions: the classes."""
    y, x = np.mgrid[:SIDE, :SIDE] * 2 * np.pi / SIDE
    label = rng.integers(0, 4, 32)
    phase, colour = rng.uniform(0, 6.3, (32, 1, 1)), rng.uniform(0.2, 1, (32, 3, 1, 1))
    along = np.stack([y, x, y + x, y - x])[label]
    images = colour * np.sin(2 * along + phase)[:, None] + rng.normal(0, 0.7, (32, 3, SIDE, SIDE))
    return torch.tensor(images, dtype=torch.float32), torch.tensor(label)


def train(network):
    torch.set_num_threads(1)
    rng, steps = np.random.default_rng(0), 150
    optimiser = torch.optim.AdamW(network.parameters(), 0.01, weight_decay=0.3)
    for _ in range(steps):
        images, label = batch(rng)
        optimiser.zero_grad()
        functional.cross_entropy(network(images), label).backward()
        optimiser.step()


def save(folder, network, factory, training=None):
    channels = 1 if factory == "grey" else 3
    preprocessing = Preprocessing(
        input_size=(SIDE, SIDE), crop="none", mean=(0.5,) * channels, std=(0.5,) * channels
    )
    description = Description(
        architecture=f"inputs/network/nets.py:{factory}", weights="hand", classes=(),
        preprocessing=preprocessing, training=training,
    )  # fmt: skip
    save_network(folder / "weights", network.eval(), description, folder / "inputs")


def built(folder, factory):
    (folder / "inputs/network").mkdir(parents=True, exist_ok=True)
    (folder / "inputs/network/nets.py").write_text(SOURCE)
    torch.manual_seed(0)
    return build_network(f"inputs/network/nets.py:{factory}", None, folder / "inputs")


def run(folder, **params):
    paths = {
        "weights": folder / "weights", "given": folder / "inputs/checkpoints", "out": folder / "filters.h5",
        "metrics": folder / "filters.json",
    }  # fmt: skip
    filters.run(filters.Params(**PARAMS | params), paths)
    return paths["out"], json.loads(paths["metrics"].read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    network = built(folder, "small")
    save_checkpoint(folder / "weights", network, 0)
    train(network)
    network[1].weight.data[3] *= -1
    save(folder, network, "small", training={"epochs": 1})
    return folder, network


def test_weights_and_units_are_the_network_s(trained):
    folder, network = trained
    path, metrics = run(folder)
    with open_filters(path) as found:
        assert found.about.layers == ("0", "4", "7")
        assert (found.about.first, found.about.at_start) == ("0", "epoch-0000")
        assert np.array_equal(found.weight("0"), network[0].weight.detach().numpy())
        first, dense = found.layer("0"), found.layer("7")
        assert list(first.turned) == ["0", "1", "2", "3"]
        assert {name: np.flatnonzero(signs).tolist() for name, signs in first.turned.items()} == {
            "0": [], "1": [3], "2": [3], "3": [3],
        }  # fmt: skip
        assert np.allclose(first.norm, network[0].weight.detach().flatten(1).norm(dim=1))
        assert dense.input_map == (12, 6, 6)
        assert dense.unit.tolist() == [0, 1, 2, 3]
        assert found.looks().colourfulness.shape == (12,)
    assert metrics["layers"] == 3


def test_of_a_large_dense_layer_some_filters_are_kept(trained):
    folder, network = trained
    path, _ = run(folder, dense_weights=900)
    with open_filters(path) as found:
        assert found.layer("7").unit.tolist() == [0, 2]
        assert np.array_equal(found.weight("7")[:, :, 0, 0], network[7].weight.detach().numpy()[[0, 2]])
    path, _ = run(folder, dense_weights=0)
    with open_filters(path) as found:
        assert found.weight("7").shape == (0, 432, 1, 1)


def test_training_makes_smooth_and_noise_undoes_it(trained, tmp_path):
    """Smoothness falls and entropy rises from the trained network over noisier ones to the untrained."""
    folder, network = trained
    path, _ = run(folder)
    with open_filters(path) as found:
        layers = [found.layer(name) for name in ("0", "4")]
    series = [[layer.quality for layer in layers]]
    for level in (0.7, 2.0):
        noisy = built(tmp_path, "small")
        noisy.load_state_dict(network.state_dict())
        for layer in (noisy[0], noisy[4]):
            noise = torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(1))
            layer.weight.data += level * layer.weight.std().detach() * noise
        save(tmp_path, noisy, "small")
        with open_filters(run(tmp_path)[0]) as found:
            series.append([found.layer(name).quality for name in ("0", "4")])
    series.append([layer.at_start for layer in layers])
    for of_layer in zip(*series, strict=True):
        smooth, even = ([getattr(one, name) for one in of_layer] for name in ("smoothness", "evenness"))
        assert smooth == sorted(smooth, reverse=True)
        assert even == sorted(even)
    entropies = [qualities[1].variance_entropy for qualities in series]
    assert entropies == sorted(entropies)
    assert layers[0].like_noise is False


def test_of_weights_from_elsewhere_the_initialisation_is_taken_that_was_given(trained, tmp_path):
    folder, network = trained
    start = built(tmp_path, "small")
    save(tmp_path, network, "small")
    with open_filters(run(tmp_path)[0]) as found:
        assert found.about.at_start == "" and found.layer("0").at_start is None
    given = tmp_path / "inputs/checkpoints"
    given.mkdir()
    for epoch, state in ((0, start), (3, network)):
        torch.save({"state_dict": state.state_dict()}, given / f"epoch-{epoch}.pth")
    with open_filters(run(tmp_path)[0]) as found, open_filters(run(folder)[0]) as here:
        assert found.about.at_start == "epoch-0"
        for name in found.about.layers:
            assert found.layer(name).at_start == here.layer(name).at_start != found.layer(name).quality


def test_an_untrained_network_looks_like_noise(tmp_path):
    save(tmp_path, built(tmp_path, "small"), "small")
    path, metrics = run(tmp_path)
    with open_filters(path) as found:
        assert [found.layer(name).like_noise for name in found.about.layers] == [True, True, None]
        assert found.layer("0").at_start is None
    assert metrics["layers_like_noise"] == 2


def test_a_network_of_one_channel_has_no_colours(tmp_path):
    save(tmp_path, built(tmp_path, "grey"), "grey")
    with open_filters(run(tmp_path)[0]) as found:
        assert found.about.first == "0"
        assert found.looks().colourfulness is None


def test_a_dense_layer_may_read_the_image(tmp_path):
    save(tmp_path, built(tmp_path, "dense"), "dense")
    with open_filters(run(tmp_path, dense_weights=10_000)[0]) as found:
        assert found.about.first == "1"
        assert found.looks().colourfulness.shape == (9,)
        assert found.layer("1").input_map == (3, SIDE, SIDE)
        assert found.layer("3").quality.smoothness is None


def test_what_has_no_filters_says_so(tmp_path):
    save(tmp_path, built(tmp_path, "bare"), "bare")
    path, metrics = run(tmp_path)
    with open_filters(path) as found:
        assert found.state == "not applicable"
    assert metrics == {}


def test_stage_that_is_left_out_reads_nothing(tmp_path):
    path, metrics = run(tmp_path, run=False)
    with open_filters(path) as found:
        assert found == not_run("filters")
    assert metrics == {}


def test_equal_weights_give_equal_bytes(trained, tmp_path):
    folder, _ = trained
    first = run(folder)[0].read_bytes()
    assert run(folder)[0].read_bytes() == first
