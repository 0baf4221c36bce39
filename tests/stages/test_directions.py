"""The stage `directions` on a small network with random weights, against what is stored of its units."""

import json

import numpy as np
import pytest
import torch

from pipeline.analyses.patches.patches import cut_patch
from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.formats.activations import open_activations
from pipeline.formats.directions import open_directions
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import not_run
from pipeline.formats.topk import open_topk
from pipeline.formats.weights import read_description
from pipeline.images.network_input import normalise, prepare
from pipeline.images.way_back import view
from pipeline.model.network import load_network
from pipeline.parallel import cluster
from stages import directions, topk
from tests.small.extraction import extract_small, make_manifest, make_weights, write_images

IMAGES, K = 40, 4
# The second map layer's pool, with its network's parts; the code.
MAP, CODE = "features.8", "classifier.1"
PARTS = 9
PARAMS = {
    "run": True, "layers": "auto", "count": 5, "drawn": 2, "side": 16, "rotations": 3, "sample": 10,
    "seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory, workers):
    """Images of which two are equal, extracted and ranked; identity directions of both layers."""
    folder = tmp_path_factory.mktemp("directions")
    write_images(folder / "dataset", IMAGES)
    (folder / "dataset/0/0003.png").write_bytes((folder / "dataset/0/0000.png").read_bytes())
    make_manifest(folder / "dataset", folder / "manifest.h5")
    make_weights(folder / "weights", folder)
    for layer, units in {MAP: 64, CODE: 64}.items():
        (folder / "given" / layer).mkdir(parents=True)
        np.save(folder / "given" / layer / "axis.npy", np.eye(units) * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVATLAS_DEVICE", "cpu")
        extract_small(folder / "manifest.h5", folder / "weights", folder / "activations", means=True)
        paths = {name: folder / name for name in ("activations", "weights", "given")}
        paths |= {name: folder / f"{name}.h5" for name in ("manifest", "topk")}
        topk.run(topk.Params(k=K, margin=2), paths | {"out": paths["topk"], "metrics": folder / "topk.json"})
        paths |= {"out": folder / "directions.h5", "metrics": folder / "directions.json"}
        directions.run(directions.Params(**PARAMS), paths)
        yield paths


@pytest.mark.parametrize("layer", [MAP, CODE])
def test_along_single_units_are_exactly_the_units_values_ranks_and_places(folder, layer):
    with open_directions(folder["out"]) as found, open_topk(folder["topk"]) as ranking:
        units, given = ranking.layer(layer), found.kind(layer, "file")
        for name in ("value", "image_id", "position", "box", "duplicate", "count_active"):
            np.testing.assert_array_equal(getattr(given, name), getattr(units, name), err_msg=name)
            np.testing.assert_array_equal(getattr(found.kind(layer, "unit"), name), getattr(units, name))
        assert given.names[:2] == ("axis 1", "axis 2")
        np.testing.assert_array_equal(given.direction, np.eye(64))


def test_maps_are_ranked_by_the_largest_value_over_positions(folder):
    network = load_network(folder["weights"])
    with open_manifest(folder["manifest"]) as manifest:
        images = originals(manifest, np.arange(IMAGES))
    preprocessing = read_description(folder["weights"]).preprocessing
    pixels = [prepare(images.read(number), preprocessing) for number in range(IMAGES)]
    with torch.no_grad():
        maps = network.features[:PARTS](torch.from_numpy(normalise(np.stack(pixels), preprocessing))).double()
    with open_directions(folder["out"]) as found:
        for name in ("random", "pca"):
            kind = found.kind(MAP, name)
            along = torch.einsum("ru,nuyx->rnyx", torch.from_numpy(kind.direction).double(), maps).numpy()
            np.testing.assert_allclose(kind.value, -np.sort(-along.max((2, 3)), 1)[:, : K + 2], rtol=1e-4)
            for number in range(5):
                y, x = kind.position[number, 0]
                image = kind.image_id[number, 0]
                assert along[number, image, y, x] == pytest.approx(kind.value[number, 0], rel=1e-4)


def test_codes_are_ranked_without_the_network(folder):
    codes = open_activations(folder["activations"]).read("codes").astype(np.float64)
    with open_directions(folder["out"]) as found:
        for name in found.kinds(CODE)[1:]:
            kind = found.kind(CODE, name)
            expected = -np.sort(-(kind.direction @ codes.T), 1)[:, : K + 2]
            np.testing.assert_allclose(kind.value, expected, rtol=1e-4, atol=1e-6)
        assert found.layer(CODE).components_of == "maxima"
        assert found.layer(MAP).components_of == "means"


def test_places_and_patches(folder):
    description = read_description(folder["weights"])
    with open_directions(folder["out"]) as found, open_manifest(folder["manifest"]) as manifest:
        images = originals(manifest, np.arange(IMAGES))
        seen = view(12, 10, description.preprocessing)
        for layer in (MAP, CODE):
            for name in found.kinds(layer):
                kind = found.kind(layer, name)
                assert len(kind.shown) == (64 if name == "file" else 2)
                row, number = 1, kind.shown[1]
                patches = found.patches(layer, name, row)
                shown = [kind.image_id[number, place] for place in kind.place[row] if place >= 0]
                assert not {0, 1} <= set(shown), "the two equal images"
                for place, rank in enumerate(kind.place[row]):
                    if rank >= 0:
                        box = kind.box[number, rank]
                        pixels = images.read(int(kind.image_id[number, rank]))
                        expected = cut_patch(pixels, box, seen, 16)
                        np.testing.assert_array_equal(patches.pixels[place], expected.pixels)
            # A direction has all its places, whatever the sign of its values.
            assert (found.kind(layer, "random").place >= 0).all()


def test_purity_rotations_and_metrics(folder):
    found_metrics = json.loads(folder["metrics"].read_text())
    with open_directions(folder["out"]) as found:
        assert found.about.classes == 3
        assert set(found.layer(CODE).compared) == {"random", "pca", "file"}
        rotations = found.rotations()
        assert rotations.first == ("classifier.0",)
        assert rotations.without_activation[0] < 1e-4 < 0.1 < rotations.with_activation[0]
        assert found_metrics["rotation"]["pairs"] == 1
        assert found_metrics["purity"][CODE]["random"]["effect"] == pytest.approx(
            found.layer(CODE).compared["random"].effect, rel=1e-5
        )


def test_another_seed_repeats_the_pass_of_maps_alone_and_gives_other_bytes(folder, tmp_path, monkeypatch):
    paths = folder | {"out": tmp_path / "d.h5", "metrics": tmp_path / "d.json"}
    with pytest.MonkeyPatch.context() as patch:
        # What is in the pool needs no cluster: equal parameters give equal bytes without one.
        patch.setenv(cluster.ADDRESS_VARIABLE, "tcp://127.0.0.1:1")
        directions.run(directions.Params(**PARAMS), paths)
    assert paths["out"].read_bytes() == folder["out"].read_bytes()
    directions.run(directions.Params(**PARAMS | {"seed": 1}), paths)
    with open_directions(paths["out"]) as found, open_directions(folder["out"]) as before:
        for layer in (MAP, CODE):
            one, other = found.kind(layer, "random"), before.kind(layer, "random")
            assert not np.isclose(one.direction, other.direction).any()
            np.testing.assert_array_equal(found.kind(layer, "file").value, before.kind(layer, "file").value)


def test_layers_of_one_position_need_no_pass(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(directions, "rank_maps", None)
    given = tmp_path / "given"
    given.mkdir()
    paths = folder | {"out": tmp_path / "d.h5", "metrics": tmp_path / "d.json", "given": given}
    directions.run(directions.Params(**PARAMS | {"layers": (CODE,), "rotations": 0}), paths)
    with open_directions(paths["out"]) as found:
        assert found.about.layers == (CODE,)
        assert found.kinds(CODE) == ["unit", "random", "pca"]
        assert found.rotations().first == ()


def test_a_file_that_fits_no_layer_is_refused_and_left_out_it_says_so(folder, tmp_path):
    (tmp_path / "given/fc").mkdir(parents=True)
    np.save(tmp_path / "given/fc/a.npy", np.ones(3))
    paths = folder | {"out": tmp_path / "d.h5", "metrics": tmp_path / "d.json", "given": tmp_path / "given"}
    with pytest.raises(UserError, match="no layer matches 'fc'"):
        directions.run(directions.Params(**PARAMS), paths)
    directions.run(directions.Params(**PARAMS | {"run": False}), paths)
    with open_directions(paths["out"]) as found:
        assert found == not_run("directions")
    assert json.loads(paths["metrics"].read_text()) == {}
