from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.occlusion import NAMED, add_occlusion
from pipeline.formats.status import not_run
from tests.small.occlusion import FOUND
from tests.small.probes import PICTURED

NAMES = ["cat", "dog", "owl"]


def drawn(folder, found=FOUND, names=NAMES):
    section = SectionDraft("occlusion", folder)
    add_occlusion(section, found, PICTURED, names, shown=2)
    return section.content()


def test_each_probe_has_a_figure_a_size(tmp_path):
    content = drawn(tmp_path)
    table, images = content.blocks
    assert [row[0] for row in table.rows] == [2, 4]
    assert table.rows[0][2:5] == (16, (1, 3), pytest.approx(1 / 48, rel=1e-4))
    assert images.images == (7, 2)
    assert (content.numbers["changed"], content.numbers["by_label"], content.numbers["wrong"]) == (1, 2, 1)
    first, second, third = (part.blocks[0].figures for part in content.images)
    assert [one.id for one in first] == ["occlusion-7-2", "occlusion-7-4"]
    numbers = first[0].numbers
    assert (numbers["output"], numbers["before"], numbers["least"]) == ("dog", 0.9, 0.1)
    assert (numbers["others_places"], numbers["others"], numbers["corner"]) == (1, "colour 1 is owl", (0, 0))
    assert second[0].numbers["others_places"] == third[0].numbers["others_places"] == 0
    assert all((tmp_path / name).is_file() for name in content.files)


def test_numbers_of_every_place_lie_beside_the_figure(tmp_path):
    drawn(tmp_path)
    lines = (tmp_path / "occlusion-7-2.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 17
    assert lines[1].split(",")[:2] == ["0", "0"] and "owl" in lines[1] and "dog" in lines[2]


def test_of_many_other_labels_the_rest_share_a_colour(tmp_path):
    size = FOUND.sizes[0]
    predicted = size.predicted.copy()
    predicted[0] = np.arange(16).reshape(4, 4) + 2
    found = replace(FOUND, sizes=(replace(size, predicted=predicted),))
    content = drawn(tmp_path, found, [f"name {number}" for number in range(18)])
    others = content.images[0].blocks[0].figures[0].numbers["others"].split(", ")
    assert len(others) == NAMED + 1 and others[-1] == "colour 5 others"


def test_without_a_convolution_there_is_no_activation(tmp_path):
    nothing = np.full(3, np.nan, np.float32)
    whole = replace(FOUND.whole, activation=nothing, unit=np.full(3, -1))
    sizes = tuple(replace(one, activation=one.activation * np.nan) for one in FOUND.sizes)
    content = drawn(tmp_path, replace(FOUND, about=replace(FOUND.about, layer=""), whole=whole, sizes=sizes))
    assert content.numbers["layer"] == ""
    assert "Activation" not in (tmp_path / "occlusion-7-2.svg").read_text(encoding="utf-8")


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("occlusion", tmp_path)
    add_occlusion(section, not_run("occlusion"), PICTURED, NAMES, shown=2)
    assert section.content().reason == "params.yaml says occlusion.run: false"
