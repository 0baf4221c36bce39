"""The stage `attributes` on artifacts made by hand: images of which the darkest third is mislabelled."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats import manifest, predictions, probes
from pipeline.formats.attributes import read_attributes
from pipeline.formats.manifest import Manifest
from pipeline.formats.status import not_run, write_status
from stages import attributes
from tests.end_to_end.artifact_tables import faults, read_document
from tests.end_to_end.project import ROOT
from tests.small.artifacts import write_predictions, write_thumbnails

COUNT = 600
RNG = np.random.default_rng(0)
BRIGHTNESS = RNG.random(COUNT)
LABEL = np.arange(COUNT) % 3
WRONG = (BRIGHTNESS < 1 / 3) | (RNG.random(COUNT) < 0.05)
COLUMNS = {
    "brightness": BRIGHTNESS + 0.3 * RNG.normal(size=COUNT),
    "light": ["night" if one < 0.3 else "day" for one in BRIGHTNESS + 0.2 * RNG.normal(size=COUNT)],
    "noise": RNG.random(COUNT),
    "name": [f"image {number}" for number in range(COUNT)],
}
PARAMS = {
    "run": True, "bins": 5, "least": 20, "level": 0.05, "repeats": 999, "steps": 3, "examples": 4, "shown": 2,
    "seed": 0,
}  # fmt: skip


def run(paths, **changed):
    attributes.run(attributes.Params(**PARAMS | changed), paths)
    return read_attributes(paths["out"])


@pytest.fixture
def make(tmp_path):
    def write(wrong=WRONG, label=LABEL, columns=COLUMNS, held_out="", boxes=True, count=COUNT):
        rows = slice(count)
        side = RNG.integers(2, 7, count)
        box = np.stack([np.zeros(count), np.zeros(count), side, side], 1).astype(np.float32)
        listed = Manifest(
            path=[f"class/{row:05}.png" for row in range(count)], label=np.asarray(label[rows], np.int32),
            class_names=["a", "b", "c"], split=["test" if row % 2 else "train" for row in range(count)],
            size=np.full((count, 2), 8, np.int32), sha256=["0" * 64] * count,
            attributes={name: values[rows] for name, values in columns.items()},
            box_image=np.arange(count if boxes else 0), box=box[: count if boxes else 0], skipped=[],
        )  # fmt: skip
        paths = {
            name: tmp_path / f"{name}.h5" for name in ("manifest", "predictions", "probes", "thumbnails")
        }
        manifest.write_manifest(listed, paths["manifest"], dataset="x", max_bad_fraction=0, params="0")
        path = write_predictions(paths["predictions"], np.arange(count), np.zeros(count, np.int32), "abc")
        found = replace(
            predictions.read_predictions(path), label=np.asarray(label[rows], np.int32),
            label_rank=wrong[rows].astype(np.int32), held_out=held_out,
            probability=np.full(count, 0.75, np.float32),
        )  # fmt: skip
        predictions.write_predictions(path, found, made_from={})
        write_thumbnails(paths["thumbnails"], np.zeros(count), brightness=BRIGHTNESS[rows])
        write_status(paths["probes"], not_run("probes"), stage="probes", version=probes.VERSION)
        return paths | {"out": tmp_path / "out.h5", "metrics": tmp_path / "metrics.json"}

    return write


def test_brightness_comes_first_and_nothing_survives_beside_it(make):
    paths = make()
    found = run(paths)
    names = [one.name for one in found.effects]
    assert names[0] == "brightness" and found.chain == ("brightness",)
    assert found.effects[0].source == "pixels"
    assert {"brightness (column)", "light", "noise", "object scale"} <= set(names)
    assert "name" in found.left_out and "resolution" in found.left_out and "sharpness" in found.left_out
    effects = {one.name: one for one in found.effects}
    assert effects["light"].corrected < 0.05 and effects["noise"].corrected >= 0.05
    beside = [one.given[0] for one in found.effects[1:]]
    assert min(beside) >= 0.05 and effects["brightness"].given[0] < 0.05
    assert effects["brightness"].bins.worst == 0 and effects["brightness"].bins.accuracy[0] == 0
    assert (found.images, found.right) == (COUNT, int((~WRONG).sum()))
    assert found.calibration_error == pytest.approx(abs((~WRONG).mean() - 0.75))
    numbers = json.loads(paths["metrics"].read_text())
    assert numbers["effect"]["brightness"]["worst_error_ratio"] == pytest.approx(1 / WRONG.mean(), rel=1e-4)
    assert set(found.interaction.names) < set(names)


def test_the_file_is_as_documented(make):
    paths = make()
    run(paths)
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    assert list(faults(paths["out"], described["attributes.h5"])) == []


def test_examples_are_of_their_bins_and_their_values_are_listed(make):
    found = run(make())
    best, worst = found.effects[0].examples
    assert (BRIGHTNESS[worst] < 0.25).all() and (BRIGHTNESS[best] > 0.35).all()
    assert (found.effects[1].examples >= 0).all() and (found.effects[2].examples == -1).all()
    assert np.isin([*best, *worst], found.listed).all()
    np.testing.assert_allclose(found.values["brightness"], BRIGHTNESS[found.listed], rtol=1e-6)
    assert found.values["light"] == [COLUMNS["light"][row] for row in found.listed]


def test_only_labelled_images_that_are_held_out_count(make):
    label = np.where(np.arange(COUNT) % 5, LABEL, -1)
    found = run(make(held_out="test", label=label))
    assert found.images == sum(row % 2 and row % 5 > 0 for row in range(COUNT)) and found.split == "test"
    assert all(row % 2 and row % 5 for row in found.listed)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"label": np.full(COUNT, -1)}, "give labels by class folders or a CSV"),
        ({"wrong": np.zeros(COUNT, bool)}, "gets every one of 600 labelled images right"),
        ({"wrong": np.ones(COUNT, bool)}, "gets none of 600 labelled images right"),
        ({"count": 4}, "4 labelled images are too few"),
    ],
)
def test_reasons(make, changed, reason):
    paths = make(**changed)
    found = run(paths)
    assert found.state == "not applicable" and reason in found.reason
    assert json.loads(paths["metrics"].read_text()) == {}


def test_left_out(make):
    assert run(make(), run=False) == not_run("attributes")


def test_one_class_without_boxes_and_columns_is_enough(make):
    found = run(make(label=np.zeros(COUNT, int), columns={}, boxes=False))
    assert [one.name for one in found.effects] == ["brightness"]
    assert found.interaction is None and found.chain == () and not found.effects[0].bins.by_class


def test_thumbnails_of_other_images_are_refused(make):
    paths = make()
    write_thumbnails(paths["thumbnails"], np.zeros(5))
    with pytest.raises(UserError, match="stale"):
        run(paths)


def test_equal_inputs_give_equal_bytes(make):
    paths = make()
    run(paths)
    before = paths["out"].read_bytes()
    run(paths)
    assert paths["out"].read_bytes() == before
