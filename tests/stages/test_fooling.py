"""A small network of three outputs, on images and artifacts made by hand."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from pipeline.analyses.fooling.ascent import probability_of
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from pipeline.analyses.fooling.shown import Attacks
from pipeline.formats import predictions
from pipeline.formats.fooling import NEVER, read_fooling
from pipeline.formats.probes import Probes, write_probes
from pipeline.formats.separability import LayerProbe, ProbeSample, Separability, write_separability
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from pipeline.numerics.rows import joined
from stages import fooling
from tests.small.artifacts import write_manifest_of, write_predictions
from tests.small.layers import write_layers

SIDE, COUNT = 8, 36
PREPROCESSING = Preprocessing(input_size=(SIDE, SIDE), crop="center", mean=[0.5] * 3, std=[0.25] * 3)
PARAMS = {
    "run": True, "images": 100, "pixels": 100_000, "levels": (2, 8, 32), "steps": 4, "probes": 3,
    "minimal": 2,
    "solves": 5, "solver_steps": 10, "classes": 2, "confidence": 0.6, "ascent_steps": 40, "transfer": 8,
    "evolved": 6, "offspring": 10, "elites": 3,
    "linear_images": 100, "batch_size": 8, "seed": 0,
}  # fmt: skip
SOURCE = """
import torch
from torch import nn

def known(classes):
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, classes))
"""
LABEL = np.arange(COUNT) % 3
NAMES = [f"{number:02}.png" for number in range(COUNT)]
SPLIT = ["test" if number % 2 else "train" for number in range(COUNT)]
IDS = np.array([5, 1, 9, 7])
UNITS = 5


def picture(number):
    random = np.random.default_rng(int(number))
    found = random.integers(0, 60, (SIDE, SIDE, 3)).astype(np.uint8)
    found[..., number % 3] += 150
    return found


def describe(folder, name, outputs):
    architecture = "inputs/network/known.py:known"
    network = build_network(architecture, outputs, folder / "inputs").eval()
    description = Description(
        architecture=architecture, weights="hand", classes=tuple("abc"[:outputs]), preprocessing=PREPROCESSING
    )
    save_network(folder / name, network, description, folder / "inputs")
    return load_network(folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fooling")
    (folder / "inputs/network").mkdir(parents=True)
    (folder / "inputs/network/known.py").write_text(SOURCE)
    (folder / "data").mkdir()
    (folder / "checkpoints").mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(picture(number)).save(folder / "data" / name)
    network = describe(folder, "weights", 3)
    asked = PixelNetwork(network, PREPROCESSING, 8)
    write_manifest_of(folder / "manifest.h5", folder / "data", NAMES, LABEL, split=SPLIT)
    # What the network says is the label, but for every fifth image.
    said = answers(asked.logits(np.stack([picture(number) for number in range(COUNT)])))[0]
    output = np.where(np.arange(COUNT) % 5, said, (said + 1) % 3).astype(np.int32)
    for name, label in (("predictions", output), ("unlabelled", np.full(COUNT, -1, np.int32))):
        path = write_predictions(folder / f"{name}.h5", np.arange(COUNT), said, "abc")
        found = replace(predictions.read_predictions(path), label=label, held_out="test")
        predictions.write_predictions(path, found, made_from={})
    probes = Probes(
        IDS, tuple(NAMES[one] for one in IDS), ("test",) * 4, output[IDS], said[IDS], np.ones(4, np.float32),
        np.zeros(4, np.bool_), "test",
    )  # fmt: skip
    write_probes(folder / "probes.h5", probes, np.stack([picture(one) for one in IDS]), made_from={})
    state = {name: tensor + 0.01 for name, tensor in network.state_dict().items()}
    save_file(state, folder / "checkpoints/epoch-1.safetensors")
    save_file(dict(network.state_dict()), folder / "checkpoints/epoch-2.safetensors")
    _write_codes(folder)
    return folder


def _write_codes(folder):
    """Write codes, and a linear probe of them that was fitted to the even images."""
    random = np.random.default_rng(0)
    write_layers(folder / "activations", {"code": random.random((COUNT, UNITS), np.float32)})
    weight, odd = random.standard_normal((3, UNITS)), np.arange(1, COUNT, 2)
    sample = ProbeSample(
        np.arange(0, COUNT, 2), odd, LABEL[odd], np.ones(len(odd), np.int8), np.arange(3), drawn=False
    )
    probe = LayerProbe(weight, np.zeros(3), 1.0, True, np.zeros(len(odd), np.int64))
    found = Separability(("code",), ("maxima",), sample, {("code", "maxima"): probe}, {})
    write_separability(folder / "separability.h5", found, made_from={})


@pytest.fixture
def paths(folder, tmp_path):
    names = ("manifest", "predictions", "probes", "separability")
    return {name: folder / f"{name}.h5" for name in names} | {
        "activations": folder / "activations", "weights": folder / "weights", "given": folder / "checkpoints",
        "out": tmp_path / "fooling.h5", "metrics": tmp_path / "fooling.json",
    }  # fmt: skip


def run(paths, **changed):
    fooling.run(fooling.Params(**PARAMS | changed), paths)
    return read_fooling(paths["out"])


def read_again(pictures):
    """Return pictures as PNG files give them back."""
    found = []
    for one in pictures:
        file = io.BytesIO()
        Image.fromarray(one).save(file, "PNG")
        found.append(np.asarray(Image.open(file)))
    return np.stack(found)


def test_sample_is_of_held_out_images_and_every_number_follows_from_the_artifact(paths):
    found = run(paths)
    ids = found.sample.image_id
    assert ids.tolist() == list(range(1, COUNT, 2)) and found.about.split == "test"
    assert found.about.basis == "label"
    network = PixelNetwork(load_network(paths["weights"]), PREPROCESSING, 8)
    torch.set_num_threads(1)
    given = Attacked(ids, np.stack([picture(one) for one in ids]), found.sample.output)
    attacks = Attacks(network, found.sample.level.tolist(), steps=4, seed=0)
    for method, one in found.attacks.items():
        again = joined([attacks.attack(method, part) for part in given.parts(8)])
        for name in ("predicted", "exact", "confidence", "smallest"):
            np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    numbers = json.loads(paths["metrics"].read_text())
    right = (found.attacks["pgd"].predicted[:, 1] == found.sample.output).mean()
    assert numbers["pgd_accuracy"]["2"][0] == pytest.approx(right, rel=1e-5)


def test_every_stored_picture_is_within_its_distance_and_fools_from_a_file(paths):
    found = run(paths)
    network = PixelNetwork(load_network(paths["weights"]), PREPROCESSING, 8)
    shown = found.shown
    np.testing.assert_array_equal(shown.image_id, IDS[:3])
    for one in found.fooled.values():
        largest = np.abs(one.picture.astype(int) - shown.picture).max((1, 2, 3))
        assert (largest <= np.where(one.level == NEVER, 32, one.level)).all()
        said = answers(network.logits(read_again(one.picture)))[0]
        np.testing.assert_array_equal(said, one.predicted)
        np.testing.assert_array_equal(said != shown.output, one.level != NEVER)
    minimal, ascended = found.minimal, found.ascended
    there = np.isfinite(minimal.stretch)
    assert there.any()
    said = answers(network.logits(read_again(minimal.picture)))[0]
    np.testing.assert_array_equal(said[there], minimal.target[there])
    share = shown.picture[:2] / 255 + minimal.change
    assert share.min() >= -1e-6 and share.max() <= 1 + 1e-6
    said = answers(network.logits(read_again(ascended.picture)))[0]
    np.testing.assert_array_equal(said, ascended.predicted)
    assert (said == ascended.target)[ascended.confidence >= 0.6].all()


def test_evolved_images_are_what_the_network_says_from_a_file(paths):
    found = run(paths)
    network = PixelNetwork(load_network(paths["weights"]), PREPROCESSING, 8)
    assert tuple(found.evolved) == ("direct", "cppn")
    for one in found.evolved.values():
        assert one.target.tolist() == [0, 1, 2] and one.generation.tolist() == list(range(7))
        logits = network.logits(read_again(one.picture))
        np.testing.assert_array_equal(answers(logits)[0], one.predicted)
        np.testing.assert_allclose(probability_of(logits, one.target), one.confidence, rtol=1e-5)
        assert (np.diff(one.course, axis=0) >= 0).all()
        np.testing.assert_array_equal(one.course[-1], one.confidence)
    numbers = json.loads(paths["metrics"].read_text())
    assert numbers["evolved_cppn"] == [int((one.confidence >= 0.6).sum()), 3]
    assert run(paths, evolved=0).evolved == {}
    few = run(paths, pixels=5 * SIDE**2 + 1, elites=2).evolved["direct"]
    assert few.offspring.tolist() == [5] and len(few.target) == 2


def test_checkpoints_that_are_the_network_are_not_asked_twice(paths):
    found = run(paths).transfer
    assert found.name == ("epoch-1", "final")
    assert found.clean.shape == (2, 18) and found.attacked.shape == (2, 2, 18)
    one = run(paths)
    np.testing.assert_array_equal(found.clean[1], one.attacks["fgsm"].predicted[:, 0])
    np.testing.assert_array_equal(found.attacked[1, 1], one.attacks["fgsm"].predicted[:, 2])
    assert run(paths | {"given": paths["given"].parent / "none"}).transfer is None


def test_probe_of_codes_is_that_of_separability(paths):
    found = run(paths)
    assert (found.about.layer, found.about.kind) == ("code", "maxima")
    assert found.codes.image_id.tolist() == list(range(1, COUNT, 2))
    assert (found.codes.predicted != found.codes.target).all()


def test_linear_classifier_of_pixels_tells_the_colours_apart_and_is_broken(paths):
    pixels = run(paths, levels=(8, 120)).pixels
    assert pixels.fit.tolist() == list(range(0, COUNT, 2)) and pixels.cells.tolist() == [8, 8]
    np.testing.assert_array_equal(pixels.label, LABEL[pixels.image_id])
    assert (pixels.predicted[:, 0] == pixels.label).mean() > 0.9
    assert (pixels.predicted[:, -1] == pixels.target).mean() > 0.5
    assert run(paths, linear_images=0).pixels is None


def test_without_labels_the_prediction_is_attacked(paths, folder):
    status = not_run("separability")
    write_status(folder / "none.h5", status, stage="separability", version=1)
    found = run(paths | {"predictions": folder / "unlabelled.h5", "separability": folder / "none.h5"})
    assert found.about.basis == "predicted" and found.codes is None and found.pixels is None
    np.testing.assert_array_equal(found.attacks["pgd"].predicted[:, 0], found.sample.output)


def test_fewer_images_where_they_have_more_pixels(paths):
    assert len(run(paths, pixels=5 * SIDE**2 + 1).sample.image_id) == 5
    assert len(run(paths, pixels=1).sample.image_id) == 1


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        run(paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_cost_is_said_first(paths, caplog):
    with caplog.at_level("INFO"):
        run(paths)
    assert "18 images and 3 probes of 8 x 8 pixels; about" in caplog.text
    # Two encodings, six generations and the first, ten images each.
    assert "passes of one image there and back, 140 there" in caplog.text


def test_what_cannot_be_fooled_says_why(paths, folder, tmp_path):
    assert run(paths, run=False) == not_run("fooling")
    assert json.loads(paths["metrics"].read_text()) == {}
    write_status(tmp_path / "probes.h5", not_run("probes"), stage="probes", version=1)
    assert run(paths | {"probes": tmp_path / "probes.h5"}) == not_run("probes")
    said = predictions.read_predictions(paths["predictions"])
    one = write_predictions(tmp_path / "one.h5", np.arange(COUNT), np.zeros(COUNT, np.int32), "a")
    assert len(said.output_name) == 3
    assert "one output" in run(paths | {"predictions": one}).reason
