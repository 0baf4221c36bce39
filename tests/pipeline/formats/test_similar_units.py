import numpy as np

from pipeline.formats.similar_units import (
    VERSION,
    SimilarLayer,
    SimilarUnits,
    read_similar_units,
    write_similar_units,
)
from pipeline.formats.status import not_run, write_status

NEAR = (np.array([[1], [0], [-1]]), np.array([[0.5], [0.5], [np.nan]], np.float32))
FAR = (np.array([[1], [1], [-1]]), np.array([[3], [2], [-1]]), np.array([[-0.5], [1], [np.nan]], np.float32))


def test_similar_units_come_back(tmp_path):
    layers = {
        "relu": SimilarLayer("output", np.array([True, True, False]), *NEAR, *FAR),
        "a/b": SimilarLayer("input", np.array([True, True, False]), *NEAR),
    }
    write_similar_units(tmp_path / "similar_units.h5", SimilarUnits(7, layers), made_from={})
    found = read_similar_units(tmp_path / "similar_units.h5")
    assert found.images == 7 and list(found.layers) == ["relu", "a/b"]
    for name, layer in layers.items():
        for field, value in vars(layer).items():
            np.testing.assert_array_equal(getattr(found.layers[name], field), value)


def test_a_status_comes_back(tmp_path):
    path = tmp_path / "similar_units.h5"
    write_status(path, not_run("similar_units"), stage="similar_units", version=VERSION)
    assert read_similar_units(path) == not_run("similar_units")
