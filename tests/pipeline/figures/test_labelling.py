import json

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.labelling import BEGIN, SCRIPT, Labelling, add_labelling
from pipeline.figures.trials import SCRIPT as TRIALS
from pipeline.figures.trials import Asked
from pipeline.formats.status import not_run

PATHS = ["x/cat-3.png", "x/dog-1.png"]
NETWORK = "00ff"


def task(side=8, count=3, reduced=None):
    pictures = [np.full((9, 7, 3), 200, np.uint8), np.full((5, 12, 3), 90, np.uint8)]
    tiles = np.full((count, side, side, 4), 255, np.uint8)
    tiles[..., :3] = 40 * np.arange(count)[:, None, None, None]
    return Labelling(PATHS, pictures, tiles, ["a", "b"], ["cat", "dog"], [[0, 2], [1]], reduced)


def source(folder):
    return json.loads((folder / SCRIPT).read_text().removeprefix(BEGIN).rstrip(";\n"))


def test_the_script_says_where_pictures_lie(tmp_path):
    section = SectionDraft("labelling", tmp_path)
    add_labelling(section, task(), not_run("y"), NETWORK)
    found = source(tmp_path)
    assert found["path"] == PATHS
    assert found["classes"][0] == {"name": "a", "called": "cat", "examples": [0, 2]}
    sheet = Image.open(tmp_path / found["sheets"]["files"][0]).convert("RGB")
    columns, side = found["sheets"]["columns"], found["sheets"]["side"]
    for place in range(3):
        at = (place % columns * side, place // columns * side)
        assert abs(sheet.getpixel(at)[0] - 40 * place) <= 2
    assert section.numbers == {
        "images": 2, "classes": 2, "examples": 2, "no_trials": not_run("y").reason,
    }  # fmt: skip


def test_the_side_is_said_where_pictures_were_reduced_to_it(tmp_path):
    section = SectionDraft("labelling", tmp_path)
    add_labelling(section, task(reduced=12), not_run("y"), NETWORK)
    assert section.numbers["side"] == 12


def test_each_image_has_a_picture_of_its_own(tmp_path):
    add_labelling(SectionDraft("labelling", tmp_path), task(), not_run("y"), NETWORK)
    pictures = [Image.open(tmp_path / name) for name in source(tmp_path)["pictures"]]
    assert [picture.size for picture in pictures] == [(7, 9), (12, 5)]
    assert abs(pictures[1].convert("RGB").getpixel((3, 3))[0] - 90) <= 2


def test_further_pictures_lie_on_further_sheets(tmp_path):
    section = SectionDraft("labelling", tmp_path)
    add_labelling(section, task(side=600), not_run("y"), NETWORK)
    assert len(source(tmp_path)["sheets"]["files"]) == 3
    assert set(section.blocks[0].pictures) > set(source(tmp_path)["sheets"]["files"])


def test_what_the_network_says_is_not_in_it(tmp_path):
    section = SectionDraft("labelling", tmp_path)
    add_labelling(section, task(), not_run("y"), NETWORK)
    assert set(source(tmp_path)) == {"id", "path", "classes", "sheets", "pictures"}


@pytest.mark.parametrize("status", [not_run("x")])
def test_without_classes_it_says_why(tmp_path, status):
    section = SectionDraft("labelling", tmp_path)
    add_labelling(section, status, not_run("y"), NETWORK)
    assert section.content().reason == status.reason and not list(tmp_path.iterdir())


def test_questions_on_units_need_no_classes(tmp_path):
    section = SectionDraft("labelling", tmp_path)
    patch = np.zeros((8, 8, 3), np.uint8)
    asked = [Asked("conv", 3, ("a.png", "b.png"), [patch] * 9, [patch, patch])]
    add_labelling(section, not_run("x"), asked, NETWORK)
    assert section.numbers == {"no_labelling": not_run("x").reason, "trials": 1, "layers": 1, "shown": 9}
    (viewer,) = section.content().blocks
    assert viewer.scripts == (TRIALS,)
    add_labelling(section, task(), asked, NETWORK)
    assert section.blocks[-1].scripts == (SCRIPT, TRIALS)
