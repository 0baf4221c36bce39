"""The stage `predictions`."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.activations import open_activations
from pipeline.formats.class_names import read_class_names
from pipeline.formats.predictions import read_predictions
from stages import predictions
from tests.small.artifacts import write_activations, write_description, write_manifest
from tests.small.files import bytes_below

CLASSES = ["b", "A", "c"]
OUTPUTS = ["a", "b", "x", "c"]
PARAMS = {"bins": 5, "binning": "width", "plot_rows": 1000, "seed": 0}
LABEL = np.arange(80) % 3
SPLIT = ["test" if row % 2 else "train" for row in range(80)]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "classes").mkdir()

    def once(
        name="a", label=LABEL, split=SPLIT, logits=None, classes=CLASSES, outputs=OUTPUTS, drawn=0,
        training=None, **changes,
    ):  # fmt: skip
        logits = np.random.default_rng(0).normal(size=(40, 4)) if logits is None else logits
        write_activations(tmp_path / "activations", logits=logits.astype(np.float32))
        paths = {
            "activations": tmp_path / "activations",
            "manifest": write_manifest(tmp_path / "manifest.h5", label, classes, split, drawn=drawn),
            "weights": write_description(tmp_path / "weights", outputs, training),
            "classes": tmp_path / "classes",
            "out": tmp_path / name / "predictions.h5",
            "names": tmp_path / name / "class_names.h5",
            "metrics": tmp_path / name / "predictions.json",
            "confusion": tmp_path / name / "confusion.csv",
            "calibration": tmp_path / name / "calibration.csv",
        }
        predictions.run(predictions.Params(**{**PARAMS, **changes}), paths)
        return paths

    return once


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_labels_are_outputs_of_the_network(run):
    paths = run()
    image_id = store.open_activations(paths["activations"]).image_id
    with store.read(paths["out"], version=None) as file:
        assert file.get("class_output").tolist() == [1, 0, 3]
        np.testing.assert_array_equal(file.get("label"), np.array([1, 0, 3])[LABEL[image_id]])
        assert file.strings("output_name") == OUTPUTS
        assert file.attributes()["held_out"] == "test"


def test_held_out_images_are_the_headline(run):
    paths = run()
    metrics = json.loads(paths["metrics"].read_text())
    logits = store.open_activations(paths["activations"]).read("logits")
    image_id = store.open_activations(paths["activations"]).image_id
    right = logits.argmax(axis=1) == np.array([1, 0, 3])[LABEL[image_id]]
    held_out = image_id % 2 == 1
    assert metrics["accuracy"] == pytest.approx(right[held_out].mean(), rel=1e-5)
    assert metrics["images"] == held_out.sum()
    assert metrics["split"]["train"]["accuracy"] == pytest.approx(right[~held_out].mean(), rel=1e-5)
    assert metrics["split"]["test"]["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]
    with store.read(paths["out"], version=None) as file:
        assert file.get("confusion/images").sum() == held_out.sum()


def test_tables_for_dvc(run):
    paths = run()
    metrics = json.loads(paths["metrics"].read_text())
    rows = rows_of(paths["confusion"])
    assert len(rows) == metrics["images"]
    assert np.mean([row["actual"] == row["predicted"] for row in rows]) == pytest.approx(
        metrics["accuracy"], rel=1e-5
    )
    bins = rows_of(paths["calibration"])
    assert sum(int(row["count"]) for row in bins) == metrics["images"]
    confidence = [float(row["confidence"]) for row in bins]
    assert confidence == sorted(confidence)


def test_a_sample_of_many_images_is_plotted(run):
    assert len(rows_of(run(plot_rows=7)["confusion"])) == 7


def test_equal_bytes_twice(run):
    assert bytes_below(run("a")["out"].parent) == bytes_below(run("b")["out"].parent)


def test_unlabelled_images_still_have_predictions(run, caplog):
    paths = run(label=np.full(80, -1))
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["images"] == 0
    assert metrics["images_without_label"] == 40
    assert "accuracy" not in metrics
    assert "no labels" in caplog.text
    assert paths["confusion"].read_text() == "actual,predicted\n"
    with store.read(paths["out"], version=None) as file:
        assert file.get("predicted").shape == (40,)


def test_of_weights_from_elsewhere_all_images_count_whatever_split_was_drawn(run, caplog):
    paths = run(drawn=80)
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["held_out"] == 0
    assert metrics["images"] == 40
    assert list(metrics["split"]) == ["all"]
    assert "may know these images" in caplog.text
    found = read_predictions(paths["out"])
    assert (found.held_out, found.basis, found.splits.name) == ("", "unknown", ("all",))
    assert found.confusion.images.sum() == found.calibration.count.sum() == 40


def test_where_to_look_is_said_if_a_network_from_elsewhere_does_no_better_than_one_class(run, caplog):
    words = "% of the images are right, perhaps no more than by naming the largest class"
    run(split=["test"] * 80)
    assert words in caplog.text
    for name, other in {"here": {"training": {"epochs": 1}}, "one": {"label": LABEL * 0}}.items():
        caplog.clear()
        run(name, **other)
        assert words not in caplog.text
    image_id = store.open_activations(run("again")["activations"]).image_id
    caplog.clear()
    run("good", split=["test"] * 80, logits=np.eye(4)[np.array([1, 0, 3])[LABEL[image_id]]])
    assert words not in caplog.text


def test_of_weights_trained_here_the_drawn_split_counts(run):
    found = read_predictions(run(drawn=80, training={"epochs": 1})["out"])
    assert (found.held_out, found.basis, found.splits.name) == ("test", "held out", ("test", "train"))


@pytest.mark.parametrize(
    ("others", "counted", "basis"), [("val", "val", "held out"), ("train", "", "trained on")]
)
def test_a_split_without_labels_is_not_what_counts(run, others, counted, basis):
    split = np.array(["train", "test", others, others] * 20)
    label = np.where(split == "test", -1, LABEL)
    found = read_predictions(run(label=label, split=split.tolist(), training={"epochs": 1})["out"])
    assert (found.held_out, found.basis) == (counted, basis)
    used = split[found.image_id] == others if counted else split[found.image_id] != "test"
    assert found.confusion.images.sum() == used.sum() > 0


def test_a_dataset_may_say_that_all_of_it_was_held_out(run, caplog):
    found = read_predictions(run(split=["test"] * 80)["out"])
    assert (found.held_out, found.basis, found.splits.name) == ("test", "declared", ("test",))
    assert "may know" not in caplog.text


def test_two_outputs_of_one_name_are_told_apart(run, tmp_path):
    (tmp_path / "classes" / "mapping.csv").write_text("dataset_class,output\nn02012849,1\nn03126707,3\n")
    logits = np.eye(4)[np.array([1, 3])[np.arange(80) % 2]]
    image_id = np.array([row for row in range(80) if row % 5 != 3])[:40]
    paths = run(
        label=np.arange(80) % 2, classes=["n02012849", "n03126707"], outputs=["x", "crane", "y", "crane"],
        logits=logits[image_id], drawn=80,
    )  # fmt: skip
    assert json.loads(paths["metrics"].read_text())["accuracy"] == 1
    names = read_class_names(paths["names"])
    assert names.of_class == ("crane (n02012849)", "crane (n03126707)")
    assert names.of_output == ("x", "crane (output 1)", "y", "crane (output 3)")
    assert {(row["actual"], row["predicted"]) for row in rows_of(paths["confusion"])} == {
        ("crane (output 1)", "crane (output 1)"), ("crane (output 3)", "crane (output 3)")
    }  # fmt: skip


def test_names_do_not_change_with_the_params(run):
    first, second = run("a")["names"], run("b", bins=7)["names"]
    assert first.read_bytes() == second.read_bytes()


def test_a_mapping_from_the_user(run, tmp_path):
    (tmp_path / "classes" / "mapping.csv").write_text("dataset_class,output\nA,x\n")
    with store.read(run()["out"], version=None) as file:
        assert file.get("class_output").tolist() == [1, 2, 3]
        assert "digest_mapping" in file.attributes()


WNIDS = ["n01440764", "n01443537", "n01484850"]
CLASS_INDEX = {
    "0": ["n01484850", "great_white_shark"], "1": ["n02102040", "x"], "2": ["n01440764", "x"],
    "3": ["n01443537", "goldfish"],
}  # fmt: skip


def test_a_class_index_from_the_user(run, tmp_path):
    (tmp_path / "classes" / "imagenet_class_index.json").write_text(json.dumps(CLASS_INDEX))
    paths = run(classes=WNIDS)
    with store.read(paths["out"], version=None) as file:
        assert file.get("class_output").tolist() == [2, 3, 0]
        assert "digest_class_index" in file.attributes()
    assert read_class_names(paths["names"]).of_class == ("x", "goldfish", "great white shark")


def test_wordnet_ids_without_output_are_said_with_the_file_that_helps(run, caplog):
    metrics = json.loads(run(classes=WNIDS)["metrics"].read_text())
    assert metrics["classes_without_output"] == 3
    assert "or for WordNet ids imagenet_class_index.json" in caplog.text


def test_classes_without_output_are_said_and_left_out(run, caplog):
    metrics = json.loads(run(classes=["b", "a", "unheard of"])["metrics"].read_text())
    assert metrics["classes_without_output"] == 1
    assert metrics["images_without_label"] == sum(
        LABEL[row] == 2 for row in range(80) if row % 5 != 3 and row < 50
    )
    assert "unheard of" in caplog.text


def test_stale_activations_are_refused(run, tmp_path, monkeypatch):
    def of_other_weights(folder):
        activations = open_activations(folder)
        activations.origin = replace(activations.origin, made_from={"weights": "1" * 64})
        return activations

    monkeypatch.setattr(predictions, "open_activations", of_other_weights)
    with pytest.raises(UserError, match="stale"):
        run()
    assert not (tmp_path / "a").exists()


def test_names_that_are_not_one_an_output_are_refused(run):
    with pytest.raises(UserError, match="5 outputs but 4 class names"):
        run(logits=np.zeros((40, 5)))
