"""What is said of the units of real networks, from the images on, against plain PyTorch."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

from pipeline.extraction.extraction import extract
from pipeline.formats.manifest import open_manifest
from pipeline.formats.units import open_units
from pipeline.formats.weights import Description
from pipeline.images.decoding import decode
from pipeline.images.network_input import normalise, prepare
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from stages import units
from tests.small.extraction import make_manifest, recipe, write_images

SHARES = (0.0, 0.05, 0.5, 0.99)
PARAMS = units.Params(
    run=True, quantiles=SHARES, bins=10, top=5, nearly_dead=0.05, saturated=0.5, seed=0
)  # fmt: skip
SOURCE = """
from torch import nn

def several(classes):
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, 2), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.GELU(), nn.Conv2d(5, 4, 3), nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7), nn.Sigmoid(), nn.Linear(7, classes),
    )

def plain(classes):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3),
        nn.ReLU(), nn.Flatten(), nn.Linear(64 * 16, classes),
    )
"""
COLOUR = Preprocessing(input_size=(16, 16), resize=(16, 16), crop="none", mean=(0.5,) * 3, std=(0.5,) * 3)
GREY = Preprocessing(input_size=(8, 8), resize=None, crop="none", mean=(0.5,), std=(0.5,))
DEAD = 3  # a unit of the first layer that is set dead
IMAGES = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory, workers):
    """Two datasets, noise and digits, and a pool of their own."""
    folder = tmp_path_factory.mktemp("networks")
    (folder / "own.py").write_text(SOURCE)
    write_images(folder / "noise", 45)
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images[:IMAGES], digits.target, strict=False)):
        path = folder / "digits" / str(label) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((15 * pixels).astype(np.uint8)).save(path)
    for name in ("noise", "digits"):
        make_manifest(folder / name, folder / f"{name}.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVATLAS_SHARDS", str(folder / "pool"))
        patch.setenv("CONVATLAS_DEVICE", "cpu")
        yield folder


def described(folder, name, network, data, preprocessing, **changes):
    """Extract with a network, and describe its units: layer to what is known."""
    with open_manifest(folder / f"{data}.h5") as manifest:
        classes = manifest.class_names
    architecture = f"own.py:{name}"
    description = Description(
        architecture=architecture, weights="hand", classes=classes, preprocessing=preprocessing
    )
    work = folder / f"{name}-{len(list(folder.iterdir()))}"
    save_network(work / "weights", network.eval(), description, folder)
    extract(
        folder / f"{data}.h5", recipe(work / "weights", batch_size=32, **changes), work / "activations",
        {"manifest": "00" * 32}, shard_mean=64, shard_largest=128, candidates=0,
    )  # fmt: skip
    paths = {"activations": work / "activations", "manifest": folder / f"{data}.h5"}
    units.run(PARAMS, paths | {"out": work / "units.h5", "metrics": work / "units.json"})
    with open_units(work / "units.h5") as found:
        return work, {layer: found.layer(layer) for layer in found.about.layers}


def inputs_of(folder, data, preprocessing):
    with open_manifest(folder / f"{data}.h5") as manifest:
        files, label = [folder / data / path for path in manifest.path()], manifest.label()
    pixels = np.stack([prepare(decode(file.read_bytes()), preprocessing) for file in files])
    return torch.from_numpy(normalise(pixels, preprocessing)), torch.from_numpy(label.astype(np.int64))


@pytest.fixture(scope="module", params=[True, False], ids=["statistics", "no statistics"])
def several(request, folder):
    """The units of a network of several functions, and what each of its layers puts out."""
    torch.manual_seed(0)
    network = build_network("own.py:several", 3, folder)
    with torch.no_grad():
        network[0].weight[DEAD], network[0].bias[DEAD] = 0, -0.25
        network[4].weight *= 400
    work, found = described(
        folder, "several", network, "noise", COLOUR, statistics=request.param, means=request.param
    )
    value, outputs = inputs_of(folder, "noise", COLOUR)[0], {}
    with torch.inference_mode():
        for number, part in enumerate(load_network(work / "weights")):
            value = part(value)
            outputs[str(number)] = value
    return request.param, found, outputs


@pytest.mark.parametrize(("layer", "before"), [("1", "0"), ("3", "2"), ("5", "4"), ("9", "8"), ("6", None)])
def test_units_are_those_of_a_brute_force_pass(several, layer, before):
    statistics, found, outputs = several
    layer, values = found[layer], outputs[layer]
    every, maxima = values.swapaxes(0, 1).flatten(1), values.reshape(*values.shape[:2], -1).amax(2)
    shares = torch.tensor(SHARES, dtype=torch.float64)
    expected = torch.quantile(maxima.double(), shares, dim=0).T
    np.testing.assert_allclose(layer.quantiles, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.active, (maxima > 0).sum(0))
    np.testing.assert_array_equal(layer.dead, (every == 0).all(1))
    if not statistics:
        assert layer.apoz is None and layer.outputs is None and layer.largest_before is None
        return
    np.testing.assert_array_equal(layer.apoz, (every == 0).double().mean(1))
    assert layer.outputs == every.shape[1]
    if before is None:
        assert layer.largest_before is None
    else:
        largest = outputs[before].swapaxes(0, 1).flatten(1).amax(1)
        np.testing.assert_allclose(layer.largest_before, largest, rtol=1e-4, atol=1e-5)


def test_a_unit_that_was_set_dead_has_its_evidence(several):
    statistics, found, _ = several
    assert found["1"].dead[DEAD] and found["1"].images == 45
    if statistics:
        assert found["1"].outputs == 45 * 7 * 7
        assert found["1"].largest_before[DEAD] == -0.25


def test_functions_are_told_apart(several):
    _, found, outputs = several
    assert {name: layer.function for name, layer in found.items() if layer.ranked_by == "input"} == {
        "5": "clamp", "9": "sigmoid"
    }  # fmt: skip
    assert found["5"].top == 6 and found["5"].at_top.tolist() == (
        (outputs["5"].flatten(2).amax(2) == 6).sum(0).tolist()
    )
    assert found["3"].at_top is None and not found["3"].dead.any()


def train(network, inputs, label, rate):
    """Stochastic gradient descent, five times over the images; clipped, as weights may overflow else."""
    torch.set_num_threads(1)
    optimiser = torch.optim.SGD(network.parameters(), rate)
    for _ in range(5):
        for rows in torch.randperm(len(inputs)).split(30):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(inputs[rows]), label[rows]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 10)
            optimiser.step()
    return network


def share_dead(folder, rate, seed):
    torch.manual_seed(seed)
    network = build_network("own.py:plain", 10, folder)
    network = train(network, *inputs_of(folder, "digits", GREY), rate)
    _, found = described(folder, "plain", network, "digits", GREY, layers=("1", "3", "5"))
    return float(np.concatenate([layer.dead for layer in found.values()]).mean())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rate_far_too_high_kills_units_and_a_good_one_does_not(folder, seed):
    """Without batch norm; said of deep networks in many textbooks, and seen here."""
    assert share_dead(folder, 0.1, seed) <= 0.02
    assert share_dead(folder, 1.0, seed) >= 0.2
