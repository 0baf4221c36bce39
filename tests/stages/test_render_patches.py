"""The stage `render-patches` on a small dataset."""

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.report.section import read_section
from stages import patches, render_patches, topk
from tests.stages.small_atlas import LAYERS, make

K = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    paths = make(folder)
    topk.run(topk.Params(k=K, margin=3), paths | {"out": paths["topk"]})
    params = patches.Params(units=4, layers=("*",), side=16, seed=0)
    patches.run(params, paths | {"out": paths["patches"]})
    paths |= {"out": folder / "figures/patches"}
    render_patches.run(render_patches.Params(units=2), paths)
    return paths


@pytest.fixture
def section(made):
    return json.loads((made["out"] / "section.json").read_text())


def test_every_layer_and_unit_is_listed_with_files_that_are_there(made, section):
    assert [layer["name"] for layer in section["layers"]] == list(LAYERS)
    for layer, (units, *_) in zip(section["layers"], LAYERS.values(), strict=True):
        assert layer["units_total"] == units
        assert len(layer["units"]) == min(units, 4)
        for unit in layer["units"]:
            for name in ("image", "context"):
                assert (made["out"] / unit[name]).is_file()
            assert len({len(unit[name]) for name in ("values", "paths", "labels", "boxes", "image_ids")}) == 1
    assert len(section["figures"]) == 2 * len(LAYERS)
    for figure in section["figures"]:
        with Image.open(made["out"] / figure["image"]) as image:
            assert image.size == (figure["width"], figure["height"])


def test_the_report_accepts_the_section(made):
    content = read_section(made["out"]).content
    assert [layer.name for layer in content.layers] == list(LAYERS)
    assert content.numbers["k"] == K


def test_the_numbers_are_those_of_the_artifact(made, section):
    with store.read(made["patches"]) as file:
        for layer in section["layers"]:
            values, ids = file.get(f"{layer['name']}/value"), file.get(f"{layer['name']}/image_id")
            for row, unit in enumerate(layer["units"]):
                shown = ids[row] >= 0
                assert unit["values"] == pytest.approx(values[row][shown].tolist(), rel=1e-5)
                assert unit["image_ids"] == ids[row][shown].tolist()
                assert unit["paths"] == [f"class{image % 3}/{image:02d}.png" for image in unit["image_ids"]]
                assert unit["labels"] == [f"class{image % 3}" for image in unit["image_ids"]]


def test_the_table_has_a_line_for_each_place_that_is_filled(made, section):
    for layer in section["layers"]:
        with (made["out"] / f"{layer['slug']}.csv").open(newline="") as file:
            lines = list(csv.DictReader(file))
        assert len(lines) == sum(len(unit["values"]) for unit in layer["units"])
        assert [float(line["value"]) for line in lines] == [
            value for unit in layer["units"] for value in unit["values"]
        ]


def test_unknown_receptive_fields_are_not_stated(section):
    by_name = {layer["name"]: layer for layer in section["layers"]}
    assert by_name["head"]["rf_size"] is None
    assert by_name["features.0"]["rf_size"] == [4, 4]
    captions = {figure["id"]: figure["caption"] for figure in section["figures"]}
    assert "receptive field unknown" in captions["patches-head"].lower()
    assert "at most 7 × 7, stride 4 × 4" in captions["patches-features-1"]


def test_the_vector_figure_is_well_formed_and_holds_the_same_tiles(made, section):
    for figure in section["figures"]:
        if figure["vector"]:
            root = ElementTree.parse(made["out"] / figure["vector"]).getroot()
            assert (int(root.get("width")), int(root.get("height"))) == (figure["width"], figure["height"])
            assert root.findall("{*}image")
            assert root.findall("{*}text")


def test_equal_inputs_give_equal_bytes_whatever_the_threads(made, tmp_path, monkeypatch):
    def contents(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = contents(made["out"])
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    again = made | {"out": tmp_path / "patches"}
    render_patches.run(render_patches.Params(units=2), again)
    assert contents(again["out"]) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_layers_with_alike_names_get_different_files():
    slugs = render_patches._slugs(["a.b", "a-b", "A_b", "...", "a.b-2"])
    assert len({slug.lower() for slug in slugs}) == 5
    assert slugs[0] == "a-b"


def test_a_strip_shows_the_stored_patches(made, section):
    unit = section["layers"][0]["units"][0]
    with Image.open(made["out"] / unit["image"]) as image:
        strip = np.asarray(image.convert("RGB"))
    with store.read(made["patches"]) as file:
        patch, mask = file.get("features.0/patch")[0, 0], file.get("features.0/mask")[0, 0]
    # Enlarged four times, inside a line of one pixel; below the value's text.
    drawn = strip[3:65:4, 3:65:4]
    rows = np.arange(16) >= 6
    seen = (mask == 1) & rows[:, None]
    np.testing.assert_array_equal(drawn[seen], patch[seen])
