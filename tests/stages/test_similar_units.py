"""The stage `similar_units` on activations made by hand."""

import json

import numpy as np
import pytest

from pipeline.formats.activations import INPUT, Index, KeptLayer
from pipeline.formats.shards import input_value, value
from pipeline.formats.similar_units import read_similar_units
from pipeline.formats.status import Status, not_run
from stages.similar_units import Params, run
from tests.small.artifacts import RELU, write_shards

IMAGES = 40
LAYERS = {"relu": 4, "relu6": 3, "pool": 4}


@pytest.fixture
def paths(tmp_path):
    return {name: tmp_path / name for name in ("activations", "out", "metrics")}


def write(folder, images=IMAGES):
    """Write maxima of three layers; of relu6 those of its input differ from those of its output."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    maxima = {layer: rng.normal(5, 1, (images, units)).astype(np.float32) for layer, units in LAYERS.items()}
    maxima["relu"][:, 2] = maxima["relu"][:, 0]
    maxima["relu"][:, 3] = 0
    maxima["pool"] = maxima["relu"].copy()
    maxima["relu6"][:, 1] = maxima["relu"][:, 1]
    arrays = {value(layer): np.minimum(values, 6) for layer, values in maxima.items() if layer == "relu6"}
    arrays |= {value(layer): values for layer, values in maxima.items() if layer != "relu6"}
    arrays[input_value("relu6")] = maxima["relu6"]
    layers = [
        KeptLayer(name, "map", units, RELU.geometry, INPUT if name == "relu6" else "output")
        for name, units in LAYERS.items()
    ]
    index = Index(tuple(layers), "pool", images, "float32", 4, "cpu AVX2")
    write_shards(folder, index, np.arange(images), arrays, (3, 3, 25)[: images // 10])
    return maxima


def test_nearest_units_are_those_of_the_values_that_rank(paths):
    maxima = write(paths["activations"])
    run(Params(run=True, neighbours=2, across_layers=True), paths)
    found = read_similar_units(paths["out"])
    assert found.images == IMAGES and list(found.layers) == list(LAYERS)
    relu, bounded = found.layers["relu"], found.layers["relu6"]
    assert bounded.ranked_by == INPUT and not relu.varies[3] and relu.unit[3].tolist() == [-1, -1]
    assert relu.unit[:3, 0].tolist()[::2] == [2, 0]
    correlation = np.corrcoef(maxima["relu"][:, :2].astype(np.float64).T)[0, 1]
    assert relu.correlation[0].tolist() == pytest.approx([1, correlation])
    # The pool passes everything on; what enters relu6's second unit is what leaves relu's.
    assert (relu.far_layer[0].tolist(), relu.far_unit[0].tolist()) == ([2, 2], [0, 2])
    assert (relu.far_layer[1].tolist(), relu.far_unit[1].tolist()) == ([1, 2], [1, 1])
    assert bounded.far_correlation[1].tolist() == [1, 1] and bounded.far_layer[1].tolist() == [0, 2]
    numbers = json.loads(paths["metrics"].read_text())
    assert (numbers["units"], numbers["units_constant"], numbers["units_twins"]) == (11, 2, 4)


def test_within_layers_the_same_is_found(paths):
    write(paths["activations"])
    run(Params(run=True, neighbours=2, across_layers=True), paths)
    together = read_similar_units(paths["out"])
    run(Params(run=True, neighbours=2, across_layers=False), paths)
    apart = read_similar_units(paths["out"])
    for name, layer in apart.layers.items():
        assert layer.far_unit is None
        np.testing.assert_array_equal(layer.unit, together.layers[name].unit)
        np.testing.assert_array_equal(layer.correlation, together.layers[name].correlation)


def test_three_images_are_too_few(paths):
    write(paths["activations"], 3)
    run(Params(run=True, neighbours=2, across_layers=True), paths)
    status = Status("not applicable", "correlations need 4 images, and there are 3")
    assert read_similar_units(paths["out"]) == status
    assert json.loads(paths["metrics"].read_text()) == {}


def test_stage_that_is_left_out_reads_nothing(paths):
    run(Params(run=False, neighbours=2, across_layers=True), paths)
    assert read_similar_units(paths["out"]) == not_run("similar_units")
