"""The stage `excited_units` on activations made by hand."""

import json

import numpy as np
import pytest

from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.excited_units import read_excited_units
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.probes import write_probes
from pipeline.formats.status import not_run, write_status
from pipeline.numerics.geometry import ReceptiveField
from stages import excited_units
from tests.small.artifacts import write_shards
from tests.small.probes import PICTURES, PROBES

IMAGES, PARAMS = 40, {"run": True, "units": 3, "images": 1000, "seed": 0}
GEOMETRY = LayerGeometry((4, 4), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))


def maxima():
    """Of relu five units, the last dead; of pool the first two of these; of gate three, the last dead."""
    rng = np.random.default_rng(0)
    relu = np.maximum(rng.standard_normal((IMAGES, 5)), 0).astype(np.float32)
    relu[:, 4] = 0
    # One image stands out in one unit, as planted.
    relu[17, 2] = 50
    before = rng.standard_normal((IMAGES, 3)).astype(np.float32)
    before[:, 2] = -np.abs(before[:, 2])
    return {"relu": relu, "pool": relu[:, :2], "gate": before}


@pytest.fixture
def make(tmp_path):
    def write(images=IMAGES):
        values = {name: one[:images] for name, one in maxima().items()}
        arrays = {f"maxima/{name}/value": one for name, one in values.items()}
        arrays["maxima/gate/input_value"] = values["gate"]
        arrays["maxima/gate/value"] = np.clip(values["gate"], 0, 1)
        layers = tuple(
            KeptLayer(name, "map", one.shape[1], GEOMETRY, "input" if name == "gate" else "output")
            for name, one in values.items()
        )
        folder = tmp_path / f"activations-{images}"
        folder.mkdir()
        index = Index(layers, "relu", images, "float32", 4, "cpu AVX2")
        write_shards(folder, index, 2 * np.arange(images), arrays, (1,) if images < 10 else (7, 20))
        write_probes(tmp_path / "probes.h5", PROBES, PICTURES, made_from={})
        return {
            "activations": folder, "probes": tmp_path / "probes.h5", "out": tmp_path / "excited_units.h5",
            "metrics": tmp_path / "excited_units.json",
        }  # fmt: skip

    return write


def run(paths, **changed):
    excited_units.run(excited_units.Params(**PARAMS | changed), paths)
    return read_excited_units(paths["out"])


def by_hand(row):
    """The rank of every unit that is active on an image, by the layer's place and the unit."""
    found = {}
    for place, (name, values) in enumerate(maxima().items()):
        for unit in range(values.shape[1]):
            if name != "pool" and values[row, unit] > 0:
                found[place, unit] = int((values[:, unit] >= values[row, unit]).sum())
    return found


def test_ranks_are_those_among_all_images_whatever_the_shards_and_parts(make, monkeypatch):
    paths = make()
    found = run(paths)
    assert (found.layers, found.images, found.compared) == (("relu", "pool", "gate"), IMAGES, 6)
    assert found.image_id.tolist() == list(range(0, 2 * IMAGES, 2))
    for row in range(IMAGES):
        ranks = by_hand(row)
        pairs = zip(found.layer[row].tolist(), found.unit[row].tolist(), strict=True)
        listed = [ranks[pair] for pair in pairs if pair != (-1, -1)]
        assert listed == found.rank[row][: len(listed)].tolist() == sorted(ranks.values())[:3]
    before = paths["out"].read_bytes()
    monkeypatch.setattr(excited_units, "ROOM", 4 * IMAGES * 2)
    run(paths)
    assert paths["out"].read_bytes() == before


def test_the_planted_image_excites_its_unit_most(make):
    found = run(make())
    assert (found.layer[17, 0], found.unit[17, 0], found.rank[17, 0]) == (0, 2, 1)
    assert found.value[17, 0] == 50


def test_a_dead_unit_and_one_that_repeats_another_are_not_among_them(make):
    found = run(make(), units=10)
    assert not ((found.layer == 0) & (found.unit == 4)).any() and not (found.layer == 1).any()
    assert not ((found.layer == 2) & (found.unit == 2)).any()
    active = [len(by_hand(row)) for row in range(IMAGES)]
    assert (found.unit >= 0).sum(1).tolist() == active and min(active) < max(active)
    assert (found.value[found.unit >= 0] > 0).all()


def test_of_more_images_a_sample_and_the_probes(make):
    found = run(make(), images=5)
    assert len(found.image_id) <= 8 and {2}.issubset(found.image_id.tolist())
    assert found.images == IMAGES
    for image_id, ranks in zip(found.image_id.tolist(), found.rank, strict=True):
        assert ranks[ranks > 0].tolist() == sorted(by_hand(image_id // 2).values())[:3]


def test_one_image_has_no_rank(make):
    assert run(make(1)) == excited_units.ALONE


def test_left_out_it_says_so_and_without_probes_it_is_done(make):
    paths = make()
    assert run(paths, run=False) == not_run("excited_units")
    assert json.loads(paths["metrics"].read_text()) == {}
    write_status(paths["probes"], not_run("probes"), stage="probes", version=1)
    assert len(run(paths, images=5).image_id) == 5
    assert json.loads(paths["metrics"].read_text())["units_compared"] == 6
