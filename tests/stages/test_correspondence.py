"""The stage `correspondence` on small networks."""

import json

import numpy as np
import pytest
from scipy.ndimage import zoom

from pipeline.errors import UserError
from pipeline.formats.correspondence import ALL, INTERIOR, open_correspondence
from pipeline.formats.probes import VERSION
from pipeline.formats.status import not_run, write_status
from pipeline.images.preprocess import Preprocessing
from stages import correspondence
from tests.small.networks import save_networks
from tests.small.probes import write_unlabelled

INPUT, COUNT = 32, 3
PREPROCESSING = Preprocessing(input_size=INPUT, resize=None, crop="center", mean=[0.5] * 3, std=[0.25] * 3)
PARAMS = {
    "run": True, "layers": "auto", "most": 6, "probes": 8, "warps": 2, "points": 10, "rotation": 0.0,
    "scale": (1.0, 1.0), "translation": 0.0, "right": 0.1, "patches": (0.1, 0.25), "random_networks": 2,
    "repeats": 100, "seed": 0,
}  # fmt: skip
WARPED = {"rotation": 15.0, "scale": (0.8, 1.25), "translation": 0.15}
SOURCE = f"""
import torch
from torch import nn

def plain(classes):
    torch.manual_seed(0)
    first = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3), nn.ReLU()
    return nn.Sequential(*first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, classes))

def identity(classes):
    torch.manual_seed(0)
    return nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(3 * {INPUT**2}, classes))
"""


def pictures(count=COUNT):
    """Colours that change slowly, so that what lies between two pixels is like both."""
    coarse = np.random.default_rng(0).uniform(0, 255, (count, 9, 9, 3))
    return np.rint(zoom(coarse, (1, INPUT / 9, INPUT / 9, 1), order=1)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    save_networks(folder, SOURCE, ("plain", "identity"), PREPROCESSING)
    write_unlabelled(folder / "probes.h5", pictures())
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    return {
        "probes": folder / "probes.h5", "weights": folder / "plain", "out": tmp_path / "correspondence.h5",
        "metrics": tmp_path / "correspondence.json",
    }  # fmt: skip


def run(paths, **changed):
    correspondence.run(correspondence.Params(**PARAMS | changed), paths)


def test_what_was_not_moved_is_found_at_the_neuron_beside_it(paths):
    run(paths)
    with open_correspondence(paths["out"]) as found:
        assert found.about.layers == ("1", "4") and found.about.patches == (3, 8)
        first = found.layer("1")
    inside = first.matched.interior
    assert inside.any() and first.matched.pck[INTERIOR, 0] > 10 * first.held.chance_hit.mean()
    assert (first.matched.error >= first.held.floor).all()
    assert first.matched.pck[INTERIOR, 0] == pytest.approx(first.matched.hit[inside].mean())
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["pck"]["1"] == pytest.approx(first.matched.pck[ALL, 0], rel=1e-5)
    assert metrics["images"] == COUNT


def test_pictures_points_and_places_belong_together(paths):
    run(paths, **WARPED)
    with open_correspondence(paths["out"]) as found:
        views = found.views
    assert views.picture.shape == (COUNT, 2, INPUT, INPUT, 3) and len(views.point) == COUNT * 20
    for probe in range(COUNT):
        for warp in range(2):
            some, matrix = views.points_of(probe, warp), views.warp[probe, warp]
            np.testing.assert_allclose(
                views.true[some], views.point[some] @ matrix[:, :2].T + matrix[:, 2], atol=1e-12
            )
    assert ((views.true >= 0) & (views.true <= INPUT)).all()


def test_the_identity_is_matched_as_pixels_are(paths, folder):
    run(paths | {"weights": folder / "identity"}, **WARPED, layers=("0",), patches=(0.01,))
    with open_correspondence(paths["out"]) as found:
        views, own, plain = found.views, found.layer("0").matched, found.patches(1)
        assert found.layer("0").geometry.receptive_field.size == (1, 1)
    one = own.tied == 1
    np.testing.assert_array_equal(own.place[one], plain.place[one])
    np.testing.assert_allclose(own.error[one], np.linalg.norm(views.true - own.place, axis=1)[one], rtol=1e-5)
    np.testing.assert_array_equal(own.hit[one], own.error[one] <= 0.1 * INPUT)


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    run(paths, **WARPED)
    before = paths["out"].read_bytes()
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    run(paths, **WARPED)
    assert paths["out"].read_bytes() == before
    run(paths, **WARPED, seed=1)
    assert paths["out"].read_bytes() != before


def test_layers_without_a_place_are_named_and_one_probe_has_no_interval(paths, tmp_path):
    write_unlabelled(tmp_path / "one.h5", pictures(1))
    run(paths | {"probes": tmp_path / "one.h5"}, layers=("1", "5", "7"), patches=())
    with open_correspondence(paths["out"]) as found:
        assert found.about.layers == ("1",) and found.about.patches == ()
        assert found.about.without_place == {"5": "one position", "7": "one position"}
        assert np.isnan(found.layer("1").matched.pck[ALL, 1:]).all()


def test_where_nothing_has_a_place_it_does_not_apply(paths, folder):
    run(paths | {"weights": folder / "identity"})
    with open_correspondence(paths["out"]) as found:
        assert found == correspondence.NO_PLACE
    run(paths, layers=("7",))
    with open_correspondence(paths["out"]) as found:
        assert found == correspondence.NO_PLACE


def test_without_probes_their_status_is_the_stage_s(paths, tmp_path):
    status = not_run("probes")
    write_status(tmp_path / "none.h5", status, stage="probes", version=VERSION)
    run(paths | {"probes": tmp_path / "none.h5"})
    with open_correspondence(paths["out"]) as found:
        assert found == status


def test_it_can_be_left_out(paths):
    run(paths, run=False)
    with open_correspondence(paths["out"]) as found:
        assert found == not_run("correspondence")
    assert json.loads(paths["metrics"].read_text()) == {}


def test_a_layer_that_is_not_there_is_named(paths):
    with pytest.raises(UserError, match=r"correspondence\.layers"):
        run(paths, layers=("nothing",))
