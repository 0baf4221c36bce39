"""The stage `scorecard`, on a network that knows where its classes lie and on one with random last layers."""

import copy
import json

import numpy as np
import pytest
import torch

from pipeline.analyses.attribution.given import read_given
from pipeline.analyses.attribution.verdicts import knowledge, verdicts_of
from pipeline.analyses.occlusion import Followed, Occluder, answers
from pipeline.contents.writing import SectionDraft
from pipeline.figures.scorecard import add_scorecard
from pipeline.formats import occlusion
from pipeline.formats.manifest import Manifest, write_manifest
from pipeline.formats.probes import Probes, read_pictured, read_pictures, write_probes
from pipeline.formats.scorecard import CENTRE, RANDOM, read_scorecard
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import Description
from pipeline.images.network_input import normalise
from pipeline.layers.running import Runner
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network
from pipeline.progress import progress
from stages import gradients, scorecard
from tests.small.corners import CLASSES, PREPROCESSING, SIDE, corner_images, corner_network

IMAGES, METHODS = 24, ("saliency", "integrated_gradients", "grad_cam")
PARAMS = {
    "run": True, "probes": 24, "steps": 8, "fill": "zero", "repeats": 3, "again": 8, "layers": 3,
    "batch_size": 32, "seed": 0,
}  # fmt: skip
SOURCE = """
from torch import nn

def corners(classes):
    return nn.Sequential(
        nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(24, classes),
    )
"""


def save(folder, name, network):
    (folder / "inputs/network").mkdir(parents=True, exist_ok=True)
    (folder / "inputs/network/corners.py").write_text(SOURCE)
    architecture = "inputs/network/corners.py:corners"
    same = build_network(architecture, CLASSES, folder / "inputs").eval()
    same.load_state_dict(network.state_dict())
    description = Description(
        architecture=architecture, weights="hand", classes=tuple("abcd"), preprocessing=PREPROCESSING
    )
    save_network(folder / name, same, description, folder / "inputs")


def write_occlusion(folder, name, output):
    """Cover squares of the probes by hand, as the stage of occlusion does."""
    inputs = normalise(read_pictures(folder / "probes.h5"), PREPROCESSING)
    runner = Runner(load_network(folder / name))
    occluder = Occluder(runner, 8, 4, 64)
    found, whole = [], []
    for image, one in zip(inputs, output.tolist(), strict=True):
        followed = Followed(one, "", -1)
        found.append(occluder.run(image, np.zeros_like(image), followed))
        whole.append(answers(runner.run(image[None]), followed))
    y, x = occluder.starts((SIDE, SIDE))
    maps = {
        name: np.stack([getattr(one, name) for one in found]).astype(np.float32)
        for name in ("probability", "score", "predicted", "activation")
    }
    columns = {
        name: np.concatenate([getattr(one, name) for one in whole]).astype(np.float32) for name in maps
    }
    image_id = np.arange(len(output))
    labelled = occlusion.Whole(image_id, output, np.ones(len(output), bool), image_id * 0 - 1, **columns)
    about = occlusion.About("", "zero", (127.5,), (SIDE, SIDE))
    covered = occlusion.Covered(8, 4, y, x, **maps)
    found = occlusion.Occlusion(about, labelled, (covered,))
    occlusion.write_occlusion(folder / f"occlusion-{name}.h5", found, made_from={})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corners")
    save(folder, "trained", corner_network())
    random = copy.deepcopy(corner_network())
    torch.manual_seed(1)
    for layer in (random[6], random[10]):
        layer.reset_parameters()
    save(folder, "random", random)
    images, classes, boxes = corner_images(IMAGES, seed=1)
    pictures = ((images.transpose(0, 2, 3, 1) * 0.25 + 0.5) * 255).clip(0, 255).round().astype(np.uint8)
    names = [f"{one:02}.png" for one in range(IMAGES)]
    listed = Manifest(
        path=names, label=classes.astype(np.int32), class_names=list("abcd"), split=["test"] * IMAGES,
        size=np.full((IMAGES, 2), SIDE, np.int32), sha256=["0" * 64] * IMAGES, attributes={},
        box_image=np.arange(IMAGES), box=boxes.astype(np.float32), skipped=[],
    )  # fmt: skip
    write_manifest(listed, folder / "manifest.h5", dataset="x", max_bad_fraction=0, params="0")
    label = classes.astype(np.int32)
    probes = Probes(
        np.arange(IMAGES), tuple(names), ("test",) * IMAGES, label, label, np.ones(IMAGES, np.float32),
        np.zeros(IMAGES, np.bool_), "",
    )  # fmt: skip
    write_probes(folder / "probes.h5", probes, pictures, made_from={})
    for name in ("trained", "random"):
        params = gradients.Params(
            run=True, methods=METHODS, probes=IMAGES, steps=12, samples=2, noise=0.1, positive=True,
            batch_size=32, seed=0,
        )  # fmt: skip
        paths = {"out": folder / f"gradients-{name}.h5", "metrics": folder / "gradients.json"}
        gradients.run(params, paths | {"probes": folder / "probes.h5", "weights": folder / name})
        write_occlusion(folder, name, label)
    return folder


def paths_of(folder, name, out):
    given = {one: folder / f"{one}-{name}.h5" for one in ("gradients", "occlusion")}
    given |= {one: folder / f"{one}.h5" for one in ("probes", "manifest")}
    return given | {
        "weights": folder / name, "out": out / "scorecard.h5", "metrics": out / "scorecard.json"
    }  # fmt: skip


@pytest.fixture
def paths(folder, tmp_path):
    return paths_of(folder, "trained", tmp_path)


def run(paths, **changed):
    scorecard.run(scorecard.Params(**PARAMS | changed), paths)
    return read_scorecard(paths["out"])


@pytest.fixture(scope="module")
def found(folder, tmp_path_factory):
    return run(paths_of(folder, "trained", tmp_path_factory.mktemp("trained")))


def test_a_network_that_knows_its_classes_has_maps_that_point_to_them(found):
    assert found.about.methods == (*METHODS, "occlusion")
    assert knowledge(found).mean > 0.6
    for name in found.about.methods:
        assert found.orders[name].hit.mean() >= 0.95, name
        assert verdicts_of(found)[name].order == "passes", name
    assert not found.orders[CENTRE].hit.any() and (found.orders[RANDOM].hit == -1).all()
    np.testing.assert_allclose(found.images.inside, 100 / 32**2)


def test_of_a_network_with_random_last_layers_the_scorecard_says_so(folder, tmp_path, found):
    paths = paths_of(folder, "random", tmp_path)
    random = run(paths)
    known = knowledge(random)
    assert known.low <= 0 < knowledge(found).low
    section = SectionDraft("scorecard", tmp_path)
    add_scorecard(section, random, read_pictured(paths["probes"]))
    numbers = section.content().numbers
    assert (numbers["unknown"], numbers["known_n"], numbers["chance"]) == (1, IMAGES, 0.25)


def test_curves_begin_at_the_image_and_end_at_what_is_under_it(folder, found):
    network = load_network(folder / "trained")
    inputs = torch.as_tensor(normalise(read_pictures(folder / "probes.h5"), PREPROCESSING))
    for which, (deletion, insertion) in ((inputs, (0, -1)), (torch.zeros_like(inputs), (-1, 0))):
        probability = network(which).double().softmax(1).numpy()
        expected = probability[np.arange(IMAGES), found.images.output]
        for order in found.orders.values():
            np.testing.assert_allclose(order.deletion[:, deletion], expected, rtol=1e-5)
            np.testing.assert_allclose(order.insertion[:, insertion], expected, rtol=1e-5)


def test_maps_that_are_made_anew_are_those_that_were_given(folder, paths):
    given = read_given(paths["gradients"], paths["occlusion"], 5)
    inputs = normalise(read_pictures(paths["probes"])[:5], PREPROCESSING)
    work = scorecard.Work(
        load_network(paths["weights"]), inputs, given, scorecard.Params(**PARAMS), PREPROCESSING
    )
    with progress("measuring", total=5, unit="inputs") as bar:
        (anew,) = work.maps(scorecard.Cascade(work.network, inputs[:1], 0), [(0, given.output)], bar)
    assert anew.keys() == given.maps.keys()
    for name, maps in anew.items():
        np.testing.assert_allclose(maps, given.maps[name], atol=1e-5 * np.abs(given.maps[name]).max())


def test_likeness_is_that_to_the_maps_of_the_shuffled_network_and_of_another_class(found):
    assert found.about.layers == ("10", "6", "3", "0") and found.images.shuffled.tolist() == [1, 2, 4]
    assert (found.images.other != found.images.output[:8]).all() and len(found.images.other) == 8
    for one in found.likeness.values():
        assert one.shuffled.shape == (3, 8) and np.isfinite(one.shuffled).all()
        assert (one.shuffled < 0.999).all() and np.isfinite(one.other).all()


def test_without_shuffling_maps_stay_alike_to_the_last_bits(paths, monkeypatch):
    monkeypatch.setattr(scorecard.Cascade, "shuffle", lambda cascade, count: cascade._network)
    same = run(paths, again=2)
    for one in same.likeness.values():
        np.testing.assert_allclose(one.shuffled, 1, atol=1e-3)
    assert verdicts_of(same)["saliency"].weights == "open", "two images are too few"


def test_without_labels_or_boxes_nobody_points(folder, paths, tmp_path):
    with_none = Manifest(
        path=[f"{one:02}.png" for one in range(IMAGES)], label=np.zeros(IMAGES, np.int32),
        class_names=list("abcd"), split=["test"] * IMAGES, size=np.full((IMAGES, 2), SIDE, np.int32),
        sha256=["0" * 64] * IMAGES, attributes={}, box_image=np.zeros(0, np.int64),
        box=np.zeros((0, 4), np.float32), skipped=[],
    )  # fmt: skip
    write_manifest(with_none, tmp_path / "manifest.h5", dataset="x", max_bad_fraction=0, params="0")
    found = run(paths | {"manifest": tmp_path / "manifest.h5"}, probes=3, again=1, layers=1)
    assert all((one.hit == -1).all() for one in found.orders.values())
    assert np.isnan(found.images.inside).all() and found.images.shuffled.tolist() == [4]
    assert "pointing" not in json.loads(paths["metrics"].read_text())["saliency"]


def test_equal_runs_give_equal_bytes_and_batches_change_last_bits_alone(paths):
    small = {"probes": 4, "again": 2}
    found = run(paths, **small)
    bytes_ = paths["out"].read_bytes()
    run(paths, **small)
    assert paths["out"].read_bytes() == bytes_
    other = run(paths, **small, batch_size=7)
    for name, order in found.orders.items():
        np.testing.assert_allclose(other.orders[name].deletion, order.deletion, atol=1e-4)


def test_left_out_or_without_maps_it_says_why(paths, tmp_path):
    assert run(paths, run=False) == not_run("scorecard")
    none = {}
    for name in ("gradients", "occlusion"):
        none[name] = tmp_path / f"{name}.h5"
        write_status(none[name], not_run(name), stage=name, version=1)
    assert run(paths | none) == not_run("gradients")
    assert json.loads(paths["metrics"].read_text()) == {}
