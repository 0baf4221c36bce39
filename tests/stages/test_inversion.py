"""The stage `inversion` on small networks."""

import json

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.formats.inversion import open_inversion
from pipeline.formats.probes import VERSION
from pipeline.formats.status import not_run, write_status
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.model.network import load_network
from stages import inversion
from tests.small.networks import save_networks
from tests.small.probes import write_unlabelled

INPUT, COUNT = 16, 3
PREPROCESSING = Preprocessing(input_size=INPUT, resize=None, crop="center", mean=[0.5] * 3, std=[0.25] * 3)
PARAMS = {
    "run": True, "layers": "auto", "most": 4, "probes": 8, "restarts": 1,
    "schedule": ((30, 0.004), (10, 0.0004)), "total_variation": (1.0, 10.0, 100.0), "sixth_norm": 8e-10,
    "batch_size": 2, "seed": 0,
}  # fmt: skip
SOURCE = f"""
import torch
from torch import nn

class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Sigmoid())

    def forward(self, maps):
        return maps * self.gate(maps)

def gated(classes):
    torch.manual_seed(0)
    first = nn.Sequential(nn.Conv2d(3, 6, 5), nn.BatchNorm2d(6), nn.ReLU6(True), Gated(), nn.MaxPool2d(2))
    last = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    return nn.Sequential(first, nn.Conv2d(6, 8, 3), nn.ReLU(), *last)

def dead(classes):
    torch.manual_seed(0)
    first = nn.Conv2d(3, 4, 3)
    nn.init.constant_(first.bias, -100.0)
    return nn.Sequential(first, nn.ReLU(), nn.Flatten(), nn.Linear(4 * {(INPUT - 2) ** 2}, classes))

def flat(classes):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * {INPUT**2}, classes))
"""


def pictures(count=COUNT):
    draw = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3))
    return draw.repeat(4, 1).repeat(4, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    save_networks(folder, SOURCE, ("gated", "dead", "flat"), PREPROCESSING)
    write_unlabelled(folder / "probes.h5", pictures())
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    return {
        "probes": folder / "probes.h5", "weights": folder / "gated", "out": tmp_path / "inversion.h5",
        "metrics": tmp_path / "inversion.json",
    }  # fmt: skip


def run(paths, **changed):
    inversion.run(inversion.Params(**PARAMS | changed), paths)


def test_first_convolution_and_code_are_inverted_and_gates_are_passed_over(paths):
    run(paths)
    with open_inversion(paths["out"]) as found:
        assert (found.about.layers[0], found.about.layers[-1]) == ("0.0", "3")
        assert not any("gate" in name for name in found.about.layers) and len(found.about.layers) == 4
        layers = {name: found.layer(name) for name in found.about.layers}
        assert found.image("0.0", 2).shape == (INPUT, INPUT, 3)
    assert [layer.total_variation for layer in layers.values()] == sorted(
        layer.total_variation for layer in layers.values()
    )
    assert layers["0.0"].total_variation == 1 and layers["3"].total_variation == 100
    assert layers["0.0"].values == 6 * (INPUT - 4) ** 2
    assert not any(layer.diverged for layer in layers.values())
    assert (layers["0.0"].error < 0.5).all()
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["code_error"]["0.0"] == pytest.approx(np.median(layers["0.0"].error), rel=1e-5)


def test_what_is_stored_is_what_the_image_gives(paths):
    """Error, class and distances of the stored image, by plain PyTorch."""
    run(paths, layers=("0.2",))
    network = load_network(paths["weights"])
    with open_inversion(paths["out"]) as found:
        layer, predicted = found.layer("0.2"), found.predicted
        stored = found._file.get("0.2/image").astype(np.float32)
    given = torch.as_tensor(normalise(pictures(), PREPROCESSING))
    came = torch.as_tensor((stored / 255 - 0.5) / 0.25).permute(0, 3, 1, 2)
    with torch.no_grad():
        code, found_code = (network[0][:3](one).flatten(1) for one in (given, came))
        logits = network(came)
        np.testing.assert_array_equal(network(given).argmax(1), predicted)
    error = (found_code - code).norm(dim=1) / code.norm(dim=1)
    np.testing.assert_allclose(layer.error, error, rtol=2e-2)
    np.testing.assert_array_equal(layer.predicted, logits.argmax(1))
    np.testing.assert_allclose(layer.probability, logits.softmax(1)[range(COUNT), predicted], rtol=1e-2)
    np.testing.assert_allclose(
        layer.pixel_error, (came - given).flatten(1).norm(dim=1) / given.flatten(1).norm(dim=1), rtol=1e-3
    )
    between = [
        np.median([(code[a] - code[b]).norm() for a in range(COUNT) if a != b]) / code[b].norm()
        for b in range(COUNT)
    ]
    np.testing.assert_allclose(layer.between, between, rtol=1e-4)


def test_restarts_are_run_one_by_one_and_the_first_is_that_of_one_alone(paths):
    run(paths, layers=("0.0",), restarts=3)
    with open_inversion(paths["out"]) as found:
        many = found.layer("0.0").errors
    run(paths, layers=("0.0",))
    with open_inversion(paths["out"]) as found:
        one = found.layer("0.0").errors
    assert many.shape == (COUNT, 3) and len(np.unique(many[0])) == 3
    np.testing.assert_array_equal(many[:, :1], one)


def test_equal_inputs_give_equal_bytes(paths):
    run(paths)
    before = paths["out"].read_bytes()
    run(paths)
    assert paths["out"].read_bytes() == before
    run(paths, seed=1)
    assert paths["out"].read_bytes() != before


def test_codes_of_zeros_have_no_error(paths, folder):
    run(paths | {"weights": folder / "dead"}, layers=("1",))
    with open_inversion(paths["out"]) as found:
        layer = found.layer("1")
    assert np.isnan(layer.error).all() and np.isnan(layer.between).all()
    assert json.loads(paths["metrics"].read_text())["code_error"] == {}


def test_a_network_without_convolutions_and_a_single_probe(paths, folder, tmp_path):
    write_unlabelled(tmp_path / "one.h5", pictures(1))
    run(paths | {"weights": folder / "flat", "probes": tmp_path / "one.h5"})
    with open_inversion(paths["out"]) as found:
        assert found.about.layers == ("0",)
        assert np.isnan(found.layer("0").between).all()


def test_without_probes_their_status_is_the_stage_s(paths, tmp_path):
    status = not_run("probes")
    write_status(tmp_path / "none.h5", status, stage="probes", version=VERSION)
    run(paths | {"probes": tmp_path / "none.h5"})
    with open_inversion(paths["out"]) as found:
        assert found == status


def test_it_can_be_left_out(paths):
    run(paths, run=False)
    with open_inversion(paths["out"]) as found:
        assert found == not_run("inversion")
    assert json.loads(paths["metrics"].read_text()) == {}


def test_a_layer_that_is_not_there_is_named(paths):
    with pytest.raises(UserError, match=r"inversion\.layers"):
        run(paths, layers=("nothing",))
