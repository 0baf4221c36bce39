"""The chapter of activations as a folder of contents."""

import numpy as np
import pytest

from pipeline.contents.reading import read_section
from pipeline.formats import activation_maps, excited_units, probes
from pipeline.formats.status import not_run, write_status
from pipeline.formats.units import VERSION, About, write_units
from stages import render_activations
from tests.small import probes as small
from tests.small.artifacts import write_manifest, write_names
from tests.small.dynamics import SHOWN, write_dynamics
from tests.small.units import RELU, SIGMOID

MISSING = {
    "probes": probes.VERSION, "activation_maps": activation_maps.VERSION,
    "excited_units": excited_units.VERSION,
}  # fmt: skip


@pytest.fixture
def paths(tmp_path):
    about = About(("relu", "gate"), 8, 7, 2, "float32", "means", (0.25, 0.5), 0.2, 0.5)
    write_units(tmp_path / "units.h5", about, [RELU, SIGMOID], made_from={})
    names = write_names(tmp_path / "class_names.h5", ["cat", "dog"], ["cat", "dog"])
    write_manifest(tmp_path / "manifest.h5", [0] * 100, ["cat"])
    write_dynamics(tmp_path / "dynamics.h5")
    files = {name: tmp_path / f"{name}.h5" for name in ("units", "manifest", "dynamics")}
    for name, version in MISSING.items():
        files[name] = tmp_path / f"{name}.h5"
        write_status(files[name], not_run("probes"), stage=name, version=version)
    return files | {"names": names, "out": tmp_path / "activations"}


def test_units_are_a_section(paths):
    render_activations.run(render_activations.Params(probes=4, listed=5), paths)
    section = read_section(paths["out"] / "units").content
    assert section.numbers["units_dead"] == 1
    assert [layer.layer for layer in section.layers] == ["relu", "gate"]
    assert section.layers[0].units[1].facts[3] == "dog"


def test_probes_their_maps_and_their_units_are_sections(paths, tmp_path):
    paths |= small.write(tmp_path)
    found = excited_units.ExcitedUnits(
        ("relu",), 50, 3, np.array([2, 5, 7, 9]), *(np.array([[one]] * 4) for one in (0, 1, 3)),
        np.ones((4, 1), np.float32),
    )  # fmt: skip
    excited_units.write_excited_units(paths["excited_units"], found, made_from={})
    write_names(paths["names"], ["cat", "dog"], ["cat", "dog", "owl"])
    render_activations.run(render_activations.Params(probes=2, listed=5), paths)
    assert len(read_section(paths["out"] / "probes").content.images) == 3
    assert read_section(paths["out"] / "activation_maps").content.blocks[-1].images == (7, 2)
    excited = read_section(paths["out"] / "excited_units").content
    assert excited.image_units.units["class/00009.png"] == (0, 1, 3)


def test_training_dynamics_are_a_section(paths):
    render_activations.run(render_activations.Params(probes=4, listed=5), paths)
    section = read_section(paths["out"] / "training_dynamics").content
    assert section.numbers["checkpoints"] == 3 and section.numbers["sampled"]
    assert not section.images


def test_the_first_probe_s_maps_are_drawn(paths):
    ids = np.array([SHOWN, 0])
    none, text = np.full(2, -1, np.int32), ("a", "b")
    one = probes.Probes(ids, text, text, none, none, np.ones(2, np.float32), np.zeros(2, bool), "")
    probes.write_probes(paths["probes"], one, np.zeros((2, 8, 8, 3), np.uint8), made_from={})
    render_activations.run(render_activations.Params(probes=4, listed=5), paths)
    (image,) = read_section(paths["out"] / "training_dynamics").content.images
    assert image.path == "a"


def test_what_was_not_run_says_so(paths):
    write_status(paths["units"], not_run("units"), stage="units", version=VERSION)
    render_activations.run(render_activations.Params(probes=4, listed=5), paths)
    section = read_section(paths["out"] / "units").content
    assert section.status == "not run" and not section.layers
    for name in MISSING:
        section = read_section(paths["out"] / name).content
        assert (section.status, section.reason) == ("not run", "params.yaml says probes.run: false")
