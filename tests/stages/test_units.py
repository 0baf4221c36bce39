"""The stage `units` on activations made by hand, against NumPy on all of them at once."""

import json

import numpy as np
import pytest

from pipeline import store
from pipeline.formats import shards
from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.status import not_run
from pipeline.formats.units import open_units
from pipeline.numerics.geometry import ReceptiveField
from stages import units
from tests.small.artifacts import write_manifest, write_shards

IMAGES, POSITIONS = 3000, 4
PARAMS = {
    "run": True, "quantiles": (0.1, 0.5), "bins": 8, "top": 20, "nearly_dead": 0.001, "saturated": 0.5,
    "seed": 0,
}  # fmt: skip
GEOMETRY = LayerGeometry((2, 2), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))
# Of the first layer: dead, positive on one image, on all of a class, on about half.
RELU, CLAMP = KeptLayer("relu", "map", 4, GEOMETRY), KeptLayer("relu6", "map", 2, GEOMETRY, "input")


def maps(label):
    """What enters each layer: (N, U, positions)."""
    rng = np.random.default_rng(0)
    before = rng.standard_normal((IMAGES, 4, POSITIONS)).astype(np.float32)
    before[:, :2] = -1 - np.abs(before[:, :2])
    before[7, 1, 2] = 3
    before[:, 2] = np.where(label == 1, 1, -1)[:, None] * np.abs(before[:, 2])
    return {"relu": before, "relu6": (4 + 4 * before[:, 2:]).astype(np.float32)}


def arrays(label, *, means):
    """As extraction would write them, but for the statistics, of which every shard has its own."""
    found = {}
    for name, before in maps(label).items():
        after = np.maximum(before, 0) if name == "relu" else np.clip(before, 0, 6)
        found[shards.value(name)] = after.max(2)
        found[shards.position(name)] = np.zeros((*after.shape[:2], 2), np.uint16)
        if name == "relu6":
            found[shards.input_value(name)] = before.max(2)
            found[shards.input_position(name)] = np.zeros((*after.shape[:2], 2), np.uint16)
        if means:
            found[shards.mean(name)] = after.mean(2)
    return found


@pytest.fixture
def label():
    return (np.arange(IMAGES) % 3).astype(np.int32)


def make(folder, label, *, means=True):
    index = Index((RELU, CLAMP), "relu", IMAGES, "float32", 32, "cpu AVX2")
    (folder / "activations").mkdir()
    made = arrays(label, means=means)
    write_shards(folder / "activations", index, np.arange(IMAGES), made, (1000, 1001))
    names = [f"class{number}" for number in range(max(int(label.max()) + 1, 1))]
    write_manifest(folder / "manifest.h5", label, names)
    paths = {name: folder / name for name in ("activations", "manifest.h5")}
    return {
        "activations": folder / "activations", "manifest": paths["manifest.h5"], "out": folder / "units.h5",
        "metrics": folder / "units.json",
    }  # fmt: skip


def run(paths, **more):
    units.run(units.Params(**PARAMS | more), paths)
    with open_units(paths["out"]) as found:
        return {name: found.layer(name) for name in found.about.layers}, found.about


def test_units_are_told_as_from_all_maxima_at_once(tmp_path, label):
    layers, about = run(make(tmp_path, label))
    assert (about.images, about.labelled, about.classes, about.activity) == (IMAGES, IMAGES, 3, "means")
    for name, before in maps(label).items():
        layer, values = layers[name], np.clip(before, 0, np.inf if name == "relu" else 6).max(2)
        expected = np.quantile(values.astype(np.float64), (0.1, 0.5), axis=0).T
        np.testing.assert_allclose(layer.quantiles, expected, rtol=1e-6)
        np.testing.assert_array_equal(layer.active, (values > 0).sum(0))
        order = np.argsort(-(values if name == "relu" else before.max(2)), axis=0, kind="stable")[:20].T
        shown = np.where(np.take_along_axis(values.T, order, 1) > 0, order, -1)
        np.testing.assert_array_equal(layer.top_image_id, shown)
    relu, clamp = layers.values()
    assert relu.dead.tolist() == [True, False, False, False]
    assert relu.nearly_dead.tolist() == [False, True, False, False]
    # The third answers to one class alone; the first, to none.
    assert relu.label.tolist()[:3] == [-1, 7 % 3, 1]
    assert relu.selectivity[2] == 1 and relu.selectivity_by_chance[2] < 0.2 and np.isnan(relu.selectivity[0])
    assert (clamp.function, clamp.top) == ("clamp", 6)
    np.testing.assert_array_equal(clamp.at_top, (maps(label)["relu6"].max(2) >= 6).sum(0))
    assert clamp.saturated.tolist() == (clamp.at_top >= 0.5 * IMAGES).tolist()
    assert relu.apoz is None and relu.at_top is None


def test_metrics_count_units_in_each_state(tmp_path, label):
    paths = make(tmp_path, label)
    layers, _ = run(paths)
    found = json.loads(paths["metrics"].read_text())
    assert found["units"] == 6 and found["images"] == IMAGES
    for state in ("dead", "nearly_dead", "saturated"):
        assert found[state] == sum(int(getattr(layer, state).sum()) for layer in layers.values())
    assert "apoz" not in found


def test_selectivity_is_of_maxima_where_means_were_not_kept(tmp_path, label):
    layers, about = run(make(tmp_path, label, means=False))
    assert about.activity == "maxima" and layers["relu"].selectivity[2] == 1


def test_classes_of_one_image_each_say_nothing_of_classes(tmp_path):
    layers, about = run(make(tmp_path, np.arange(IMAGES, dtype=np.int32)))
    assert about.classes == about.labelled and layers["relu"].selectivity is None


@pytest.mark.parametrize("labels", [-1, 0])
def test_without_two_classes_there_is_no_selectivity(tmp_path, labels):
    layers, about = run(make(tmp_path, np.full(IMAGES, labels, np.int32)))
    assert about.classes == labels + 1 and layers["relu"].selectivity is None


def test_groups_of_columns_change_nothing(tmp_path, label, monkeypatch):
    paths = make(tmp_path, label)
    run(paths)
    whole = store.digest(paths["out"])
    original = units.columns_on_disk
    monkeypatch.setattr(units, "columns_on_disk", lambda *a, **more: original(*a, **more, at_once=1))
    run(paths)
    assert store.digest(paths["out"]) == whole


def test_stage_that_is_left_out_reads_nothing(tmp_path):
    paths = {"out": tmp_path / "units.h5", "metrics": tmp_path / "units.json"}
    units.run(units.Params(**PARAMS | {"run": False}), paths)
    with open_units(paths["out"]) as found:
        assert found == not_run("units")
    assert json.loads(paths["metrics"].read_text()) == {}
