"""The stage `render-patches` on a small dataset."""

import csv
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.contents.reading import read_section
from pipeline.formats.outlines import About, OutlinedLayer, new_outlines
from pipeline.formats.patches import open_patches
from pipeline.formats.topk import open_topk
from pipeline.images import way_back
from stages import patches, render_patches, topk
from tests.small.atlas import IMAGES, INPUT, LAYERS, PREPROCESSING, make, size
from tests.small.pages import page_of

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
def folder(made):
    return made["out"] / "patches"


@pytest.fixture
def section(folder):
    return read_section(folder).content


def drawn(part):
    return [unit for unit in part.units if unit.strips or unit.blocks]


def sheet(folder, layer, strip):
    """Return the pixels of a strip; black where it is transparent, where they have no colour of their own."""
    with Image.open(folder / layer.sheets[strip.sheet].file) as image:
        box = (strip.x, strip.y, strip.x + strip.width, strip.y + strip.height)
        pixels = np.asarray(image.convert("RGBA").crop(box))
    return pixels[..., :3] * (pixels[..., 3:] > 0)


def test_every_layer_and_unit_is_told(folder, section):
    assert [part.layer for part in section.layers] == list(LAYERS)
    assert section.numbers["k"] == K
    for part, (units, side, *_) in zip(section.layers, LAYERS.values(), strict=True):
        assert (part.units_total, part.geometry.map_size) == (units, (side, side))
        assert [unit.unit for unit in part.units] == list(range(units))
        assert len(drawn(part)) == min(units, 4)
        for figure in part.blocks:
            with Image.open(folder / figure.image) as image:
                assert image.size == (figure.width, figure.height)


def test_a_layer_has_a_few_sheets_and_no_file_a_strip(folder, section):
    for part in section.layers:
        for one in part.sheets:
            with Image.open(folder / one.file) as image:
                assert (image.format, image.size) == ("WEBP", (one.width, one.height))
        assert len(part.sheets) == 1
        assert [strip.caption for strip in part.units[0].strips] == ["unit-patches"]
    assert len(list(folder.rglob("*.*"))) == 1 + 5 * len(LAYERS) + len(section.whole_images)


def test_each_image_that_a_unit_looked_at_is_drawn_once(made, folder, section):
    with open_patches(made["patches"]) as file:
        assert sorted(one.image_id for one in section.whole_images) == file.image_id.tolist()
        for part in section.layers:
            layer = file.layer(part.layer)
            ids, boxes = layer.image_id, layer.box
            for row, unit in enumerate(drawn(part)):
                for place, scene in enumerate(unit.scenes):
                    one = section.whole_images[scene.image]
                    assert one.image_id == ids[row, place]
                    width, height = size(one.image_id)
                    view = way_back.view(width, height, PREPROCESSING)
                    scale = one.width / (view[2] - view[0])
                    expected = (np.array(boxes[row, place]) - np.tile(view[:2], 2)) * scale
                    inside = np.clip(expected, 0, (one.width, one.height) * 2)
                    np.testing.assert_allclose(scene.box, inside, atol=1.5)
                assert len(unit.scenes) == len(unit.rows)


def test_a_whole_image_is_what_the_network_saw(folder, section):
    for one in section.whole_images[:5]:
        with Image.open(folder / section.sheets[one.sheet].file) as image:
            drawn = np.asarray(
                image.convert("RGB").crop((one.x, one.y, one.x + one.width, one.y + one.height))
            )
        assert max(drawn.shape) == 128
        assert abs(int(np.median(drawn[..., 2])) - 20 * min(one.image_id, IMAGES - 2)) <= 4


def test_more_units_take_more_sheets(made, section, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.figures.drawing.sprites._LARGEST", 1)
    render_patches.run(render_patches.Params(units=2), made | {"out": tmp_path / "patches"})
    several = read_section(tmp_path / "patches/patches").content
    folders = (tmp_path / "patches/patches", made["out"] / "patches")
    for part, before in zip(several.layers, section.layers, strict=True):
        assert len(part.sheets) == len(drawn(part))
        for unit, other in zip(part.units, before.units, strict=True):
            for one, two in zip(unit.strips, other.strips, strict=True):
                apart, together = sheet(folders[0], part, one), sheet(folders[1], before, two)
                np.testing.assert_array_equal(apart, together)


def test_a_unit_that_is_never_active_says_so_and_has_no_strip(section):
    for part in section.layers:
        for unit in drawn(part):
            dead = unit.facts[1][0] == 0
            said = [block.caption for block in unit.blocks if block.caption != "ties"]
            assert said == (["never-active"] if dead else [])
            assert bool(unit.strips) is not dead and bool(unit.rows) is not dead


def test_the_numbers_are_those_of_the_artifact(made, section):
    with store.read(made["patches"], version=None) as file:
        for part in section.layers:
            values, ids = file.get(f"{part.layer}/value"), file.get(f"{part.layer}/image_id")
            boxes = file.get(f"{part.layer}/box")
            for row, unit in enumerate(drawn(part)):
                shown = ids[row] >= 0
                assert [cells[0] for cells in unit.rows] == pytest.approx(values[row][shown], rel=1e-5)
                images = ids[row][shown].tolist()
                paths = [f"class{image % 3}/{image:02d}.png" for image in images]
                assert [cells[1] for cells in unit.rows] == paths
                assert [cells[2] for cells in unit.rows] == [f"class{image % 3}" for image in images]
                stated = np.reshape([cells[4] for cells in unit.rows], (-1, 4))
                np.testing.assert_allclose(stated, boxes[row][shown], rtol=1e-5)


def test_the_table_has_a_line_for_each_place_that_is_filled(folder, section):
    for part in section.layers:
        with (folder / part.data).open(newline="") as file:
            lines = list(csv.DictReader(file))
        values = [row[0] for unit in drawn(part) for row in unit.rows]
        assert [float(line["value"]) for line in lines] == values


def test_unknown_receptive_fields_are_not_stated(section):
    parts = {part.layer: part for part in section.layers}
    assert parts["head"].geometry.receptive_field.status == "unknown"
    assert parts["head"].blocks[0].numbers["rf_status"] == "unknown"
    assert parts["features.1"].geometry.receptive_field.size == (7, 7)
    assert parts["features.1"].blocks[0].numbers["rf_size"] == (7, 7)
    assert parts["features.1"].geometry.receptive_field.status == "bound"


def test_captions_say_what_is_hatched_and_what_is_larger_than_the_input(made, section):
    with store.read(made["patches"], version=None) as file:
        for part in section.layers:
            mask, ids = file.get(f"{part.layer}/mask"), file.get(f"{part.layer}/image_id")
            # Both of the overview's two units are the first and the last drawn.
            shown = [mask[row][ids[row] >= 0] for row in (0, -1)]
            numbers = part.blocks[0].numbers
            assert numbers["hatched"] == any(not one.all() for one in shown)
            assert not numbers["larger"]


def test_the_vector_figure_is_well_formed_and_holds_the_same_tiles(folder, section):
    for part in section.layers:
        (patches,) = part.blocks
        root = ElementTree.parse(folder / patches.vector).getroot()
        assert (int(root.get("width")), int(root.get("height"))) == (patches.width, patches.height)
        assert root.findall("{*}image")
        assert root.findall("{*}text")


def test_equal_inputs_give_equal_bytes_whatever_the_threads(made, tmp_path, monkeypatch):
    def bytes_below(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = bytes_below(made["out"])
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    again = made | {"out": tmp_path / "patches"}
    render_patches.run(render_patches.Params(units=2), again)
    assert bytes_below(again["out"]) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_strip_shows_the_stored_patches(made, folder, section):
    layer = section.layers[0]
    strip = sheet(folder, layer, layer.units[0].strips[0])
    with store.read(made["patches"], version=None) as file:
        patch, mask = file.get("features.0/patch")[0, 0], file.get("features.0/mask")[0, 0]
    # Enlarged four times, inside a line of one pixel; below the value's text.
    drawn = strip[3:65:4, 3:65:4]
    rows = np.arange(16) >= 6
    seen = (mask == 1) & rows[:, None]
    np.testing.assert_array_equal(drawn[seen], patch[seen])


def test_units_that_are_not_drawn_have_their_numbers(made, tmp_path):
    params = patches.Params(units=4, layers=("features.1",), side=16, seed=0)
    patches.run(params, made | {"out": tmp_path / "patches.h5"})
    changed = {"patches": tmp_path / "patches.h5", "out": tmp_path / "figures"}
    render_patches.run(render_patches.Params(units=2), made | changed)
    section = read_section(tmp_path / "figures/patches").content
    assert [part.layer for part in section.layers] == list(LAYERS)
    assert section.blocks[-1].layers == ("features.1",)
    with open_topk(made["topk"]) as ranking:
        for part in section.layers:
            layer = ranking.layer(part.layer)
            for unit in {one.unit: one for one in part.units if one not in drawn(part)}.values():
                positive = layer.value[unit.unit, :K][layer.value[unit.unit, :K] > 0]
                assert [row[0] for row in unit.rows] == pytest.approx(positive, rel=1e-5)
                assert unit.facts[1] == (layer.count_active[unit.unit], IMAGES)
            assert bool(drawn(part)) == (part.layer == "features.1")


def write_outlines(path, patches):
    """Write maps that are 1 in the left half and 0 in the right, for units with a place."""
    with open_patches(patches) as source:
        layers = {name: source.layer(name) for name in source.about.layers}
        about = About(source.about.layers, IMAGES, source.about.input_size)
        ids = source.image_id
    boxes = [way_back.to_image(np.array([0, 0, INPUT, INPUT]), *size(one), PREPROCESSING) for one in ids]
    with new_outlines(path, about, made_from={}) as writer:
        writer.put_images(ids, np.array(boxes, np.float32))
        for name, layer in layers.items():
            maps = np.zeros((*layer.image_id.shape, *layer.geometry.map_size), np.float16)
            maps[..., : maps.shape[-1] // 2] = 1
            level = np.full(len(layer.unit), 0.5, np.float32)
            writer.put_layer(
                name,
                OutlinedLayer(
                    layer.geometry,
                    None,
                    "output",
                    level,
                    level > 1,
                    np.ones_like(level),
                    layer.unit,
                    layer.image_id,
                ),
                maps,
            )


def test_whole_images_are_outlined_where_a_unit_is_active(made, tmp_path):
    write_outlines(tmp_path / "outlines.h5", made["patches"])
    changed = {"outlines": tmp_path / "outlines.h5", "out": tmp_path / "figures"}
    render_patches.run(render_patches.Params(units=2), made | changed)
    section = read_section(tmp_path / "figures/patches").content
    for part in section.layers:
        mapped = part.geometry.map_size != (1, 1)
        for scene in (scene for unit in drawn(part) for scene in unit.scenes):
            assert (scene.outline is not None) is mapped
            if mapped:
                whole = section.whole_images[scene.image]
                numbers = np.array([int(one) for one in re.findall(r"-?\d+", scene.outline)]).reshape(-1, 2)
                corners = np.cumsum(numbers, 0) / 2
                # From edge to edge, and to the middle between the two middle columns of neurons.
                np.testing.assert_allclose(corners.min(0), 0, atol=1)
                assert corners[:, 1].max() == pytest.approx(whole.height, abs=1)
                assert corners[:, 0].max() == pytest.approx(whole.width / 2, abs=whole.width / 16 + 1)
    page_of(tmp_path / "figures/patches", tmp_path)
    words = (tmp_path / "report/units/features-0/0.html").read_text(encoding="utf-8")
    assert "Outlined, what lies outside" in words


def test_the_report_has_words_for_all_of_it(folder, tmp_path):
    assert "Layer by layer" in page_of(folder, tmp_path)
    (page,) = (tmp_path / "report/units").glob("features-0/0.html")
    assert "Outlined" not in page.read_text(encoding="utf-8")


def test_outlines_that_were_left_out_say_so(made, tmp_path):
    text = page_of(made["out"] / "outlines", tmp_path)
    assert "Where in its images a unit is active" in text
    assert "params.yaml says outlines.run: false" in text
