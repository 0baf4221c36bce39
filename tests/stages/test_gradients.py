"""The stage `gradients`: where a class lies in a known corner its maps point there; and against captum."""

import json

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, LayerGradCam, Saliency
from torch import nn

from pipeline.analyses.attribution.importance import importance
from pipeline.formats.gradients import open_gradients
from pipeline.formats.probes import Probes, write_probes
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import Description
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from stages import gradients

SIDE, CORNER, CLASSES, IMAGES = 24, 8, 3, 40
PREPROCESSING = Preprocessing(input_size=(SIDE, SIDE), crop="center", mean=[0.5] * 3, std=[0.25] * 3)
PARAMS = {
    "run": True, "probes": 24, "steps": 20, "samples": 3, "noise": 0.1, "positive": True, "batch_size": 7,
    "methods": (
        "saliency", "deconvnet", "guided_backprop", "integrated_gradients", "smoothgrad", "grad_cam",
    ), "seed": 0,
}  # fmt: skip
SOURCE = f"""
from torch import nn

def convolutional(classes, last=nn.ReLU):
    features = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 4, stride=2), last()]
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, classes))

def smooth(classes):
    return convolutional(classes, nn.SiLU)

def flat(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * {SIDE**2}, classes))
"""


def planted(count, seed):
    """Faint noise, and stripes in one corner, whose direction is the class: (n, S, S, 3), class, corner."""
    random = np.random.default_rng(seed)
    pictures = random.integers(118, 138, (count, SIDE, SIDE, 3))
    label, corner = random.integers(0, CLASSES, count), random.integers(0, 2, (count, 2)) * (SIDE - CORNER)
    y, x = np.mgrid[:CORNER, :CORNER]
    stripes = np.stack([y % 4 < 2, x % 4 < 2, (x + y) % 4 < 2]) * 200 + 28
    for picture, one, (top, left) in zip(pictures, label, corner, strict=True):
        picture[top : top + CORNER, left : left + CORNER] = stripes[one][..., None]
    return pictures.astype(np.uint8), label.astype(np.int32), corner


def train(network):
    torch.manual_seed(0)
    for layer in network:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    pictures, label, _ = planted(256, 1)
    inputs, target = torch.as_tensor(normalise(pictures, PREPROCESSING)), torch.as_tensor(label).long()
    optimizer = torch.optim.Adam(network.train().parameters(), 0.02, weight_decay=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        # With noise the network learns to see nothing in it; else gradients point there, too.
        noisy = inputs + 0.3 * torch.randn_like(inputs)
        nn.functional.cross_entropy(network(noisy), target).backward()
        optimizer.step()
    assert (network.eval()(inputs).argmax(1) == target).float().mean() > 0.98


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    (folder / "inputs/network").mkdir(parents=True)
    (folder / "inputs/network/known.py").write_text(SOURCE)
    for name in ("convolutional", "smooth", "flat"):
        architecture = f"inputs/network/known.py:{name}"
        network = build_network(architecture, CLASSES, folder / "inputs").eval()
        if name == "convolutional":
            train(network)
        description = Description(
            architecture=architecture, weights="hand", classes=("a", "b", "c"), preprocessing=PREPROCESSING
        )
        save_network(folder / name, network, description, folder / "inputs")
    pictures, label, _ = planted(IMAGES, 0)
    shown = label.copy()
    shown[3] = -1
    probes = Probes(
        np.arange(IMAGES) * 2, tuple(f"{one}.png" for one in range(IMAGES)), ("test",) * IMAGES, shown,
        label, np.ones(IMAGES, np.float32), np.zeros(IMAGES, np.bool_), "",
    )  # fmt: skip
    write_probes(folder / "probes.h5", probes, pictures, made_from={})
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    paths = {"probes": folder / "probes.h5", "weights": folder / "convolutional"}
    return paths | {"out": tmp_path / "gradients.h5", "metrics": tmp_path / "gradients.json"}


def run(paths, **changed):
    gradients.run(gradients.Params(**PARAMS | changed), paths)
    return open_gradients(paths["out"])


# All but deconvnet: without max pooling nothing of the image enters its signal.
POINTING = ("saliency", "guided_backprop", "integrated_gradients", "smoothgrad", "grad_cam")


def test_maps_point_to_the_corner_that_the_class_lies_in(paths):
    _, _, corners = planted(IMAGES, 0)
    with run(paths, probes=IMAGES) as found:
        for method in POINTING:
            hits = []
            for place, (top, left) in enumerate(corners):
                values = found.values(method, place)
                matters = importance(method, values.transpose(2, 0, 1)[None])[0]
                y, x = np.unravel_index(matters.argmax(), matters.shape)
                hits.append((y < SIDE / 2) == (top == 0) and (x < SIDE / 2) == (left == 0))
            assert np.mean(hits) >= 0.95, method


def test_class_is_the_label_s_or_the_predicted_one(paths):
    _, label, _ = planted(IMAGES, 0)
    with run(paths, methods=("saliency",)) as found:
        assert found.probes.image_id.tolist() == list(range(0, 48, 2))
        np.testing.assert_array_equal(found.probes.output, label[:24])
        assert np.flatnonzero(~found.probes.by_label).tolist() == [3]
        assert np.isnan(found.probes.completeness_error).all()


def close_to_largest(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(np.abs(expected).max()))


def test_maps_are_those_of_captum(folder, paths):
    network = load_network(folder / "convolutional")
    pictures, label, _ = planted(IMAGES, 0)
    inputs = torch.as_tensor(normalise(pictures[:24], PREPROCESSING)).requires_grad_()
    target = torch.as_tensor(label[:24]).long()
    expected = {
        "saliency": Saliency(network).attribute(inputs, target, abs=False),
        "guided_backprop": GuidedBackprop(network).attribute(inputs, target),
    }
    cams = LayerGradCam(network, network[3]).attribute(inputs, target, relu_attributions=True)
    with run(paths) as found:
        assert (found.about.layer, found.about.map_size) == ("3", (11, 11))
        assert found.about.fixed == ("deconvnet",)
        for method, values in expected.items():
            stored = np.stack([found.values(method, place) for place in range(24)])
            close_to_largest(stored, values.detach().permute(0, 2, 3, 1).numpy())
        stored = np.stack([found.cam(place) for place in range(24)])
        close_to_largest(stored, cams[:, 0].detach().numpy())


def test_integrated_gradients_sum_to_the_difference_of_the_scores(paths):
    with run(paths, steps=200) as found:
        sums = [found.values("integrated_gradients", place).sum(dtype=np.float64) for place in range(24)]
        difference = found.probes.score - found.probes.baseline
        np.testing.assert_allclose(found.probes.completeness_error, sums - difference, atol=1e-6)
        assert found.probes.relative_error.max() < 0.02
    numbers = json.loads(paths["metrics"].read_text())
    assert numbers["completeness_largest"] < 0.02 and numbers["images"] == 24


def test_what_says_nothing_of_a_network_is_refused_alone(folder, paths):
    with run(paths | {"weights": folder / "smooth"}) as found:
        assert found.about.methods == ("saliency", "integrated_gradients", "smoothgrad", "grad_cam")
        assert found.about.refused == {
            name: "3: silu is no rectifier" for name in ("deconvnet", "guided_backprop")
        }
    with run(paths | {"weights": folder / "flat"}) as found:
        assert found.about.refused == {"grad_cam": gradients.NO_MAP}
        assert found.about.fixed == ("saliency", "deconvnet", "guided_backprop")
        for method in ("deconvnet", "guided_backprop"):
            np.testing.assert_array_equal(found.values(method, 0), found.values("saliency", 0))


def test_where_no_method_serves_it_says_so(folder, paths):
    with run(paths | {"weights": folder / "smooth"}, methods=("deconvnet",)) as found:
        assert found.state == "not applicable" and "silu is no rectifier" in found.reason
    assert json.loads(paths["metrics"].read_text()) == {}


def test_batches_change_nothing_but_last_bits_and_equal_runs_give_equal_bytes(paths):
    with run(paths, probes=4) as found:
        first = {method: found.values(method, 2) for method in found.about.methods}
    bytes_ = paths["out"].read_bytes()
    run(paths, probes=4)
    assert paths["out"].read_bytes() == bytes_
    with run(paths, probes=4, batch_size=64) as found:
        for method, values in first.items():
            np.testing.assert_allclose(found.values(method, 2), values, atol=1e-5 * np.abs(values).max())


def test_left_out_or_without_probes_it_says_why(paths, tmp_path):
    with run(paths, run=False) as found:
        assert found == not_run("gradients")
    write_status(tmp_path / "none.h5", not_run("probes"), stage="probes", version=1)
    with run(paths | {"probes": tmp_path / "none.h5"}) as found:
        assert found == not_run("probes")
