"""Class models of a linear network, known in closed form."""

import json

import numpy as np
import pytest

from pipeline.formats.class_models import read_class_models
from pipeline.formats.probes import Probes, write_probes
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from stages import class_models

SIDE = 8
PARAMS = {"run": True, "classes": 8, "weight": 0.5, "steps": 100, "batch_size": 2}
SOURCE = f"""
import torch
from torch import nn

def linear(classes):
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * {SIDE**2}, classes))
"""


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "inputs/network").mkdir(parents=True)
    (tmp_path / "inputs/network/linear.py").write_text(SOURCE)
    architecture = "inputs/network/linear.py:linear"
    network = build_network(architecture, 4, tmp_path / "inputs").eval()
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=[0.2, 0.5, 0.9], std=[0.1, 0.2, 0.3])
    description = Description(
        architecture=architecture, weights="hand", classes=tuple("abcd"), preprocessing=preprocessing
    )
    save_network(tmp_path / "weights", network, description, tmp_path / "inputs")
    label, predicted = (np.array(one, np.int32) for one in ([2, 2, -1, 0], [0, 2, 3, 1]))
    probes = Probes(
        np.arange(4), tuple("wxyz"), ("",) * 4, label, predicted, np.ones(4, np.float32),
        np.zeros(4, np.bool_), "",
    )  # fmt: skip
    write_probes(tmp_path / "probes.h5", probes, np.zeros((4, SIDE, SIDE, 3), np.uint8), made_from={})
    files = {name: tmp_path / f"{name}.h5" for name in ("probes", "out")}
    return files | {"weights": tmp_path / "weights", "metrics": tmp_path / "metrics.json"}


def run(paths, **changed):
    class_models.run(class_models.Params(**PARAMS | changed), paths)
    return read_class_models(paths["out"])


def test_classes_are_those_of_the_probes_each_once(paths):
    assert run(paths).output.tolist() == [2, 3, 0]
    assert run(paths, classes=2).output.tolist() == [2, 3]


def test_picture_is_the_maximum_with_the_mean_added(paths):
    found = run(paths)
    rows = load_network(paths["weights"])[1].weight.detach().numpy()[found.output]
    image = rows.reshape(3, 3, SIDE, SIDE).transpose(0, 2, 3, 1)  # over twice the weight, which is 1
    expected = np.clip((image * [0.1, 0.2, 0.3] + [0.2, 0.5, 0.9]) * 255, 0, 255)
    assert np.abs(found.picture - expected).max() <= 0.51
    assert not found.chosen_weight and (found.weight == 0.5).all()


def test_what_is_said_of_a_picture_is_said_of_its_file(paths):
    found = run(paths)
    assert (found.predicted == found.output).all() and (found.probability > 0.25).all()
    strong = run(paths, weight=1e-4)
    assert (strong.clipped > 0.5).all()
    logits = [float(one) for one in strong.score[:, -1]]
    # Clipped to what a file holds, it excites the class less than the image that was found.
    network = load_network(paths["weights"])[1]
    rows = network.weight.detach().numpy()[strong.output].astype(np.float64)
    values = (strong.picture / 255 - [0.2, 0.5, 0.9]) / [0.1, 0.2, 0.3]
    clipped = np.einsum("kp,kp->k", rows, values.transpose(0, 3, 1, 2).reshape(3, -1))
    assert (clipped < logits).all()


def test_batches_change_nothing_but_the_last_bits(paths):
    one, other = run(paths, batch_size=1, weight="auto"), run(paths, batch_size=8, weight="auto")
    np.testing.assert_allclose(one.score, other.score, rtol=1e-3, atol=1e-5)
    assert one.chosen_weight


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        run(paths, weight="auto")
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]
    assert json.loads(paths["metrics"].read_text())["classes"] == 3


def test_cost_is_said_first(paths, caplog):
    with caplog.at_level("INFO"):
        run(paths, weight="auto")
    assert "3 classes, 100 steps: 600 gradients to take" in caplog.text


def test_left_out_or_without_probes_it_says_so(paths):
    assert run(paths, run=False) == not_run("class_models")
    write_status(paths["probes"], not_run("probes"), stage="probes", version=1)
    assert run(paths) == not_run("probes")
