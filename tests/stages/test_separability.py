"""The stage `separability` on activations and training dynamics made by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats import predictions, training_dynamics
from pipeline.formats.separability import read_separability
from pipeline.formats.status import not_run, write_status
from stages import separability
from tests.small.artifacts import write_manifest, write_predictions
from tests.small.dynamics import IMAGES, LAYERS, write_dynamics
from tests.small.layers import write_layers

COUNT = 90
LABEL = np.arange(COUNT) % 3
SPLIT = ["test" if number % 4 == 0 else "train" for number in range(COUNT)]
PARAMS = {
    "run": True, "sample": 1000, "layers": ("*",), "strengths": (0.1, 1.0), "steps": 100, "seed": 0,
}  # fmt: skip
RNG = np.random.default_rng(0)
# The first layer tells nothing, the second all; its maxima tell nothing either.
CODED = np.eye(3)[LABEL]
MEANS = {
    "relu": RNG.random((COUNT, 6), np.float32),
    "head": (5 * CODED + 0.1 * RNG.random((COUNT, 3))).astype(np.float32),
}
MAXIMA = {"relu": MEANS["relu"], "head": RNG.random((COUNT, 3), np.float32)}


def run(paths, **changed):
    separability.run(separability.Params(**PARAMS | changed), paths)
    return read_separability(paths["out"])


@pytest.fixture
def make(tmp_path):
    def write(label=LABEL, split=SPLIT, means=MEANS, right=True):
        folder = write_layers(tmp_path / f"activations-{len(means)}", means or MEANS, MAXIMA)
        write_manifest(tmp_path / "manifest.h5", label, ["a", "b", "c"], list(split))
        wrong = np.where(np.arange(COUNT) < 20, 1, 0) if right else 0
        path = tmp_path / "predictions.h5"
        write_predictions(path, np.arange(COUNT), ((label + wrong) % 3).astype(np.int32), "abc")
        output = np.asarray(label, np.int32) if right else np.full(COUNT, -1, np.int32)
        found = replace(predictions.read_predictions(path), label=output)
        predictions.write_predictions(path, found, made_from={})
        status, dynamics = not_run("training_dynamics"), tmp_path / "dynamics.h5"
        write_status(dynamics, status, stage="training_dynamics", version=training_dynamics.VERSION)
        return {
            "activations": folder, "manifest": tmp_path / "manifest.h5", "predictions": path,
            "dynamics": dynamics, "out": tmp_path / "out.h5", "metrics": tmp_path / "metrics.json",
        }  # fmt: skip

    return write


def test_probes_are_fitted_to_training_images_and_scored_on_the_others(make):
    paths = make()
    found = run(paths)
    assert found.kinds == ("mean", "maxima") and not found.initial
    sample = found.sample
    assert sample.held_out.tolist() == [row for row in range(COUNT) if SPLIT[row] == "test"]
    assert sample.fit.tolist() == [row for row in range(COUNT) if SPLIT[row] == "train"]
    assert sample.label.tolist() == LABEL[sample.held_out].tolist()
    assert sample.network_right.tolist() == (sample.held_out >= 20).astype(int).tolist()
    assert not sample.drawn
    assert (found.probes["head", "mean"].predicted == sample.label).all()
    for key in (("relu", "mean"), ("head", "maxima")):
        assert (found.probes[key].predicted == sample.label).mean() < 0.7
    assert found.probes["relu", "mean"].weight.shape == (3, 6)
    values = MEANS["head"][sample.held_out] @ found.probes["head", "mean"].weight.T
    values = values + found.probes["head", "mean"].intercept
    np.testing.assert_array_equal(values.argmax(1), found.probes["head", "mean"].predicted)
    numbers = json.loads(paths["metrics"].read_text())
    assert (numbers["probes_mean"]["head"], numbers["held_out"]) == (1, len(sample.held_out))
    assert numbers["network"] == pytest.approx(sample.network_right.mean(), rel=1e-4)


def test_equal_means_and_maxima_share_a_probe(make):
    found = run(make())
    one, other = (found.probes["relu", kind] for kind in ("mean", "maxima"))
    np.testing.assert_array_equal(one.weight, other.weight)


def test_of_a_training_its_sample_and_its_initialisation_are_taken(make):
    paths = make()
    code = np.eye(3)[LABEL[np.arange(IMAGES) * 2]].astype(np.float32)
    means = {name: RNG.random((3, IMAGES, units), np.float32) for name, (units, _) in LAYERS.items()}
    means["head"][-1, :, :3] += 9 * code
    write_dynamics(paths["dynamics"], means=means)
    found = run(paths)
    assert set(found.sample.fit) | set(found.sample.held_out) == set(range(0, 2 * IMAGES, 2))
    assert found.initial.keys() == found.probes.keys()
    right = {
        name: (probes["head", "mean"].predicted == found.sample.label).mean()
        for name, probes in (("end", found.probes), ("start", found.initial))
    }
    assert right["end"] == 1 and right["start"] < 0.8
    write_dynamics(paths["dynamics"], means=means, epochs=(1, 2, 3))
    assert not run(paths).initial


def test_without_two_splits_a_fifth_is_held_out_by_lot(make):
    found = run(make(split=["test"] * COUNT))
    assert found.sample.drawn
    assert 8 <= len(found.sample.held_out) <= 28
    assert not np.isin(found.sample.held_out, found.sample.fit).any()


def test_a_class_that_was_not_fitted_is_not_scored(make):
    split = ["test" if label == 2 or number % 4 == 0 else "train" for number, label in enumerate(LABEL)]
    found = run(make(split=split))
    assert found.sample.classes.tolist() == [0, 1]
    assert set(found.sample.label) == {0, 1} and 2 not in LABEL[found.sample.held_out]


def test_reasons(make):
    assert (
        "no image has a label, so there are no classes to tell apart: give labels by class folders"
        in run(make(label=np.full(COUNT, -1))).reason
    )
    assert "are of one class" in run(make(label=np.zeros(COUNT, int))).reason
    split = ["train" if label == 0 or number > 80 else "test" for number, label in enumerate(LABEL)]
    assert run(make(split=split)).sample.classes.tolist() == [0, 1, 2]
    paths = make()
    assert run(paths, run=False) == not_run("separability")
    assert json.loads(paths["metrics"].read_text()) == {}
    with pytest.raises(UserError, match="separability.layers: no layer matches 'hed'"):
        run(paths, layers=("hed",))


@pytest.mark.parametrize(("sample", "classes", "of"), [(25, 2, 3), (40, 3, None)])
def test_where_classes_would_have_few_images_fewer_are_told_apart(make, sample, classes, of):
    paths = make()
    found = run(paths, sample=sample)
    assert len(found.sample.classes) == classes
    assert len(found.sample.fit) + len(found.sample.held_out) == sample
    assert json.loads(paths["metrics"].read_text()).get("of_classes") == of


def test_where_the_outputs_are_no_classes_the_network_has_no_accuracy(make):
    paths = make(right=False)
    assert (run(paths).sample.network_right == -1).all()
    assert "network" not in json.loads(paths["metrics"].read_text())


def test_the_sample_is_no_larger_than_asked_for_and_equal_inputs_give_equal_bytes(make):
    paths = make()
    found = run(paths, sample=40)
    assert len(found.sample.fit) + len(found.sample.held_out) == 40
    before = paths["out"].read_bytes()
    run(paths, sample=40)
    assert paths["out"].read_bytes() == before
