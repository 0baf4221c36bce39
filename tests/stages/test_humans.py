"""The stage `humans` on activations, predictions and answers made by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats import predictions
from pipeline.formats.humans import read_people
from pipeline.formats.status import Status
from stages import humans
from tests.end_to_end.artifact_tables import faults, read_document
from tests.end_to_end.project import ROOT
from tests.small.artifacts import WEIGHTS, write_manifest, write_names, write_predictions
from tests.small.layers import write_layers

COUNT = 12
LABEL = np.arange(COUNT) % 3
PARAMS = {"run": True, "annotators": 5, "many": 4, "bins": 2, "repeats": 200, "seed": 0}
LOGITS = np.random.default_rng(0).normal(size=(COUNT, 4)).astype(np.float32)


def image(row):
    return f"class/{row:05}.png"


@pytest.fixture
def make(tmp_path):
    def write(files, label=LABEL):
        given = tmp_path / "given"
        given.mkdir()
        for name, text in files.items():
            (given / name).write_text(text)
        write_manifest(tmp_path / "manifest.h5", label, ["a", "b", "c"])
        write_names(tmp_path / "names.h5", ["a", "b", "c"], "abcd")
        path, rank = tmp_path / "predictions.h5", np.zeros(COUNT, np.int32)
        rank[:3] = [1, 6, 2]
        write_predictions(path, np.arange(COUNT), np.where(rank, 3, label).astype(np.int32), "abcd")
        found = predictions.read_predictions(path)
        log_loss = np.full(COUNT, 0.5, np.float32)
        found = replace(found, label=np.asarray(label, np.int32), label_rank=rank, log_loss=log_loss)
        predictions.write_predictions(path, found, made_from={})
        return {
            "given": given, "manifest": tmp_path / "manifest.h5", "predictions": path,
            "names": tmp_path / "names.h5", "out": tmp_path / "out.h5", "metrics": tmp_path / "metrics.json",
            "activations": write_layers(tmp_path / "activations", {"relu": LOGITS}, logits=LOGITS),
        }  # fmt: skip

    return write


def run(paths, **changed):
    humans.run(humans.Params(**PARAMS | changed), paths)
    return read_people(paths["out"]).humans


ANNA = "path,label\n" + "".join(f"{image(row)},{'abc'[row % 3]}\n" for row in range(1, 6))
MANY = "path,a,b,c\n" + "".join(f"{image(row)},{5 - row},{row},0\n" for row in range(4))


def test_answers_stand_beside_the_network(make):
    paths = make({"anna.csv": ANNA})
    found = run(paths)
    # The network is wrong on the images 0, 1 and 2 by the output d, which stands for no class.
    assert found.compared.cells.tolist() == [[[3, 2, 0, 0]]]
    assert found.network.predicted.tolist() == [-1, -1, 0, 1, 2]
    assert found.network.right_top5.tolist() == [False, True, True, True, True]
    assert found.doubt is None
    numbers = json.loads(paths["metrics"].read_text())
    assert numbers["raters"]["anna"]["accuracy"] == 1 and numbers["raters"]["anna"]["network"] == 0.6


def test_many_people_are_added_up_over_tables_and_annotators(make):
    found = run(make({"anna.csv": ANNA, "many.csv": MANY}))
    doubt = found.doubt
    assert doubt.image_id.tolist() == [0, 1, 2, 3]
    assert doubt.count.tolist() == [[5, 0, 0], [4, 2, 0], [3, 2, 1], [3, 3, 0]]
    assert doubt.share_right == pytest.approx([1, 2 / 6, 1 / 6, 3 / 6])
    shares = doubt.count / doubt.count.sum(axis=1, keepdims=True)
    logits = LOGITS[:4].astype(np.float64)
    told = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(doubt.cross_entropy, -(shares * told[:, :3]).sum(axis=1), atol=1e-12)
    assert doubt.interval[0] <= doubt.cross_entropy.mean() <= doubt.interval[1]


STRONGER = ["left" if first > second else "right" for first, second in LOGITS[:2].T.tolist()]
CHOSEN = "layer,unit,left,right,more,network\n" + "".join(
    f"relu,{unit},{image(0)},{image(1)},{side},{WEIGHTS[:16]}\n" for unit, side in enumerate(STRONGER)
)


def test_choices_stand_beside_labels_or_alone(make):
    paths = make({"anna.csv": ANNA, "ben.csv": CHOSEN})
    assert not isinstance(run(paths), Status)
    found = read_people(paths["out"]).choices
    assert found.whole.share.tolist() == [1] and found.annotators == ("ben",)
    numbers = json.loads(paths["metrics"].read_text())["choices"]
    assert numbers["layers"]["relu"] == {
        "share": 1, "low": pytest.approx(0.510109, abs=1e-6), "high": 1, "answers": 4, "units": 4,
        "annotators": 1, "unsure": 0,
    }  # fmt: skip
    (paths["given"] / "anna.csv").unlink()
    assert run(paths).state == "not applicable"
    again = read_people(paths["out"]).choices
    assert again.right.tolist() == [1] * 4
    assert set(json.loads(paths["metrics"].read_text())) == {"choices"}


def test_the_file_is_as_documented(make):
    paths = make({"anna.csv": ANNA, "many.csv": MANY, "ben.csv": CHOSEN})
    run(paths)
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    assert list(faults(paths["out"], described["humans.h5"])) == []


def test_two_runs_give_equal_bytes(make):
    paths = make({"anna.csv": ANNA, "many.csv": MANY})
    run(paths)
    before = paths["out"].read_bytes()
    run(paths)
    assert paths["out"].read_bytes() == before


def test_without_answers_the_reason_names_the_folder(make):
    found = run(make({}))
    assert found.state == "not applicable" and "inputs/humans" in found.reason


def test_images_without_labels_cannot_be_right(make):
    found = run(make({"anna.csv": ANNA}, np.full(COUNT, -1)))
    assert found.state == "not applicable" and "has a label" in found.reason


def test_a_wrong_label_is_named_with_its_line(make):
    with pytest.raises(UserError, match=r"anna\.csv: line 2: the label 'z'"):
        run(make({"anna.csv": f"path,label\n{image(1)},z\n"}))


def test_left_out_it_reads_nothing(tmp_path):
    humans.run(humans.Params(**PARAMS | {"run": False}), {
        "out": tmp_path / "out.h5", "metrics": tmp_path / "metrics.json",
    })  # fmt: skip
    assert read_people(tmp_path / "out.h5").humans.state == "not run"
