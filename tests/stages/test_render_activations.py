"""The chapter of activations as a folder of contents."""

import pytest

from pipeline.contents.reading import read_section
from pipeline.formats.status import not_run, write_status
from pipeline.formats.units import VERSION, About, write_units
from stages import render_activations
from tests.small.artifacts import write_names
from tests.small.units import RELU, SIGMOID


@pytest.fixture
def paths(tmp_path):
    about = About(("relu", "gate"), 8, 7, 2, "float32", "means", (0.25, 0.5), 0.2, 0.5)
    write_units(tmp_path / "units.h5", about, [RELU, SIGMOID], made_from={})
    names = write_names(tmp_path / "class_names.h5", ["cat", "dog"])
    return {"units": tmp_path / "units.h5", "names": names, "out": tmp_path / "activations"}


def test_units_are_a_section(paths):
    render_activations.run(render_activations.Params(listed=5), paths)
    section = read_section(paths["out"] / "units").content
    assert section.numbers["units_dead"] == 1
    assert [layer.layer for layer in section.layers] == ["relu", "gate"]
    assert section.layers[0].units[1].facts[3] == "dog"


def test_what_was_not_run_says_so(paths):
    write_status(paths["units"], not_run("units"), stage="units", version=VERSION)
    render_activations.run(render_activations.Params(listed=5), paths)
    section = read_section(paths["out"] / "units").content
    assert section.status == "not run" and not section.layers
