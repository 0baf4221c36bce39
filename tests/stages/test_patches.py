"""The stage `patches` on a small dataset."""

import json

import numpy as np
import pytest

from pipeline import store
from pipeline.analyses.patches.patches import cut_patch
from pipeline.errors import UserError
from pipeline.images.way_back import view
from stages import patches, topk
from tests.small.atlas import IMAGES, LAYERS, PREPROCESSING, make, picture, size

PARAMS = {"units": 3, "layers": ("*",), "side": 16, "seed": 0}


@pytest.fixture
def paths(tmp_path):
    paths = make(tmp_path)
    topk.run(topk.Params(k=3, margin=3), paths | {"out": paths["topk"]})
    return paths | {"out": paths["patches"]}


def test_every_patch_is_cut_from_its_box(paths):
    patches.run(patches.Params(**PARAMS), paths)
    with store.read(paths["out"], version=None) as file, store.read(paths["topk"], version=None) as ranking:
        for layer in LAYERS:
            units = file.get(f"{layer}/unit")
            for row, unit in enumerate(units):
                for place, image_id in enumerate(file.get(f"{layer}/image_id")[row]):
                    mask = file.get(f"{layer}/mask")[row, place]
                    box = file.get(f"{layer}/box")[row, place]
                    if image_id < 0:
                        assert not mask.any()
                        assert not box.any()
                        continue
                    expected = cut_patch(picture(image_id), box, view(*size(image_id), PREPROCESSING), 16)
                    np.testing.assert_array_equal(file.get(f"{layer}/patch")[row, place], expected.pixels)
                    np.testing.assert_array_equal(mask, expected.mask)
                    rank = ranking.get(f"{layer}/image_id")[unit].tolist().index(image_id)
                    np.testing.assert_array_equal(box, ranking.get(f"{layer}/box")[unit, rank])


def test_places_are_positive_and_no_near_duplicates(paths):
    patches.run(patches.Params(**PARAMS), paths)
    with store.read(paths["out"], version=None) as file:
        for layer in LAYERS:
            value, image_id = file.get(f"{layer}/value"), file.get(f"{layer}/image_id")
            assert ((value > 0) == (image_id >= 0)).all()
            for ids in image_id:
                assert not {IMAGES - 2, IMAGES - 1} <= set(ids.tolist())
            if file.get(f"{layer}/unit")[-1] == LAYERS[layer][0] - 1:
                assert (image_id[-1] == -1).all()
        assert file.attributes("features.0")["units_never_active"] == 1


def test_the_metrics_count_places_and_images(paths):
    patches.run(patches.Params(**PARAMS), paths)
    found = json.loads(paths["metrics"].read_text())
    with store.read(paths["out"], version=None) as file:
        ids = [file.get(f"{layer}/image_id") for layer in LAYERS]
        passed_over = sum(int(file.get(f"{layer}/passed_over").sum()) for layer in LAYERS)
    filled = sum(int((one >= 0).sum()) for one in ids)
    assert found == {
        "layers": len(LAYERS), "units_drawn": sum(len(one) for one in ids), "patches": filled,
        "places_empty": sum(one.size for one in ids) - filled, "passed_over": passed_over,
        "images_shown": len({image for one in ids for image in one.ravel().tolist()} - {-1}),
    }  # fmt: skip


def test_each_image_has_its_context_once(paths):
    patches.run(patches.Params(**PARAMS), paths)
    with store.read(paths["out"], version=None) as file:
        ids = file.get("context/image_id")
        wanted = {image for layer in LAYERS for image in file.get(f"{layer}/image_id").ravel().tolist()}
        assert ids.tolist() == sorted(wanted - {-1})
        for row in range(len(ids)):
            x0, y0, x1, y1 = view(*size(ids[row]), PREPROCESSING)
            drawn, scale = file.get("context/picture")[row], file.get("context/scale")[row]
            offset = file.get("context/offset")[row]
            centre = drawn[len(drawn) // 2, len(drawn) // 2]
            assert abs(int(centre[0]) - 6 * (x0 + x1) / 2) <= 6
            assert abs(int(centre[1]) - 6 * (y0 + y1) / 2) <= 6
            assert int(centre[2]) == 20 * min(ids[row], IMAGES - 2)
            middle = offset + scale * np.array([x0 + x1, y0 + y1]) / 2
            assert middle.tolist() == pytest.approx([len(drawn) / 2] * 2, abs=1e-3)


def test_equal_inputs_give_equal_bytes_whatever_the_threads(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        patches.run(patches.Params(**PARAMS), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_units_and_layers_can_be_chosen(paths):
    patches.run(patches.Params(**PARAMS | {"units": (1, 0), "layers": ("feat*", "head")}), paths)
    with store.read(paths["out"], version=None) as file:
        assert file.attributes()["layers"] == ["features.0", "features.1", "head"]
        assert file.get("head/unit").tolist() == [0, 1]
    with pytest.raises(UserError, match="no layer matches 'conv'"):
        patches.run(patches.Params(**PARAMS | {"layers": ("conv",)}), paths)
    with pytest.raises(UserError, match="no unit 4 in features.1, which has 3"):
        patches.run(patches.Params(**PARAMS | {"units": (4,)}), paths)


def test_a_missing_image_leaves_its_places_unseen_all_missing_is_an_error(paths):
    images = sorted((paths["manifest"].parent / "data").rglob("*.png"), key=lambda path: path.name)
    images[4].unlink()
    patches.run(patches.Params(**PARAMS), paths)
    with store.read(paths["out"], version=None) as file:
        assert file.get("skipped/image_id").tolist() == [4]
        assert "missing" in file.strings("skipped/reason")[0]
        for layer in LAYERS:
            seen = file.get(f"{layer}/mask").any((-1, -2))
            ids = file.get(f"{layer}/image_id")
            np.testing.assert_array_equal(seen, (ids >= 0) & (ids != 4))
    for image in images:
        image.unlink(missing_ok=True)
    with pytest.raises(UserError, match="can be read any more"):
        patches.run(patches.Params(**PARAMS), paths)
