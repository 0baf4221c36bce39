from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.status import not_run, write_status
from pipeline.formats.units import VERSION, About, open_units, write_units
from pipeline.numerics.geometry import ReceptiveField
from tests.small.units import RELU, SIGMOID

ABOUT = About(("relu", "sigmoid"), 8, 7, 2, "float32", "means", (0.25, 0.5), 0.2, 0.5)
OPTIONAL = (
    "outputs", "apoz", "largest_before", "at_top", "at_bottom", "selectivity", "selectivity_by_chance",
    "label",
)  # fmt: skip


@pytest.mark.parametrize("bare", [False, True])
def test_units_come_back(tmp_path, bare):
    layers = [RELU, SIGMOID]
    if bare:
        none = dict.fromkeys(OPTIONAL)
        layers = [replace(layer, **none) for layer in layers]
    write_units(tmp_path / "units.h5", ABOUT, layers, made_from={})
    with open_units(tmp_path / "units.h5") as found:
        assert found.about == ABOUT
        for name, expected in zip(ABOUT.layers, layers, strict=True):
            layer = found.layer(name)
            for field in fields(layer):
                np.testing.assert_array_equal(getattr(layer, field.name), getattr(expected, field.name))
                if isinstance(getattr(expected, field.name), np.ndarray):
                    assert getattr(layer, field.name).dtype == getattr(expected, field.name).dtype
            assert layer.geometry == LayerGeometry((2, 2), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "units.h5", not_run("units"), stage="units", version=VERSION)
    with open_units(tmp_path / "units.h5") as found:
        assert found == not_run("units")
