import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.activation_maps import add_activation_maps, course, white_of
from pipeline.formats.activation_maps import open_activation_maps
from pipeline.formats.status import not_run
from tests.small import probes as small


def draw(folder, *, negative=False):
    section = SectionDraft("activation_maps", folder / "section")
    section.folder.mkdir()
    paths = small.write(folder, negative=negative)
    with open_activation_maps(paths["activation_maps"]) as found:
        add_activation_maps(section, found, small.PICTURED, shown=2)
        return section.content(), found.layer("relu")


def test_every_probe_has_its_maps_on_its_page_and_the_first_stand_in_the_chapter(tmp_path):
    content, _ = draw(tmp_path)
    assert [part.image_id for part in content.images] == [7, 2, 5]
    assert content.blocks[-1].images == (7, 2)
    assert all((tmp_path / "section" / name).is_file() for name in content.files)


def test_the_figure_shows_each_unit_where_its_tile_is_said_to_be(tmp_path):
    content, layer = draw(tmp_path)
    (figure,) = content.images[1].blocks
    drawn = np.asarray(Image.open(tmp_path / "section" / figure.image).convert("RGB")).astype(float)
    tiles, white = figure.tiles, white_of(layer)
    height, width = figure.height // tiles.rows, figure.width // tiles.columns
    places = [
        (row, column)
        for row in range(tiles.rows)
        for column in range(tiles.columns)
        if row >= tiles.corner or column >= tiles.corner
    ]
    for unit, (row, column) in zip(tiles.units, places, strict=False):
        tile = drawn[row * height + 1 : (row + 1) * height - 1, column * width + 1 : (column + 1) * width - 1]
        seen = tile[..., 0].reshape(6, height // 6, 6, width // 6).mean((1, 3))
        expected = np.minimum(small.maps()[1, unit] / white, 1) * 255
        np.testing.assert_allclose(seen, expected, atol=3)


def test_numbers_of_a_figure_and_of_the_table_are_those_of_the_maps(tmp_path):
    content, _ = draw(tmp_path)
    values = small.maps()
    (figure,) = content.images[0].blocks
    assert figure.numbers["sparsity"] == pytest.approx((values[0] == 0).mean(), rel=1e-4)
    assert (figure.numbers["silent"], figure.numbers["active"], figure.evidence.n) == (1, 3, 4)
    # 3.6 of 6 positions of equal value.
    assert figure.numbers["localisation"] == pytest.approx(0.6, rel=1e-4)
    ((layer, size, units, zeros, silent, local),) = content.blocks[0].rows
    assert (layer, size, units, silent) == ("relu", (6, 6), (4, 4), (3, 12))
    assert zeros == pytest.approx((values == 0).mean(), rel=1e-4) and local == pytest.approx(0.6, rel=1e-4)
    with (tmp_path / "section" / figure.data).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["largest"] for row in rows] == ["1", "2", "3", "0"] and rows[3]["localisation"] == ""


def test_negative_values_are_said_to_be_there(tmp_path):
    content, _ = draw(tmp_path, negative=True)
    assert content.numbers["negative"] == 1 and content.images[0].blocks[0].numbers["negative"] == 1
    content, _ = draw_again(tmp_path)
    assert content.numbers["negative"] == 0


def draw_again(folder):
    (folder / "again").mkdir()
    return draw(folder / "again")


def test_of_several_layers_the_first_is_compared_with_the_last(tmp_path):
    content, layer = draw(tmp_path)
    assert "first" not in content.numbers
    dense = replace(layer, sparsity=np.zeros_like(layer.sparsity))
    numbers = course({"early": dense, "late": layer})
    assert (numbers["first"], numbers["last"], numbers["first_sparsity"]) == ("early", "late", 0)
    assert numbers["last_sparsity"] == pytest.approx((small.maps() == 0).mean(), rel=1e-6)
    silent = replace(layer, localisation=np.full_like(layer.localisation, np.nan))
    assert course({"early": dense, "late": silent}) == {}


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("activation_maps", tmp_path)
    add_activation_maps(section, not_run("activation_maps"), {}, shown=2)
    assert section.content().reason == "params.yaml says activation_maps.run: false"
