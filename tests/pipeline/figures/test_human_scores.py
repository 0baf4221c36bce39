import csv
import re

import pytest

from pipeline.contents.writing import new_chapter
from pipeline.figures.human_scores import add_human_scores
from pipeline.formats.status import Status
from tests.small.humans import choices
from tests.small.pages import page_of


@pytest.fixture
def draw(tmp_path):
    def made(found):
        with new_chapter(tmp_path / "people") as chapter:
            section = chapter.section("human_scores")
            add_human_scores(section, found)
        folder = tmp_path / "people/human_scores"
        page = " ".join(re.sub("<[^>]*>", "", page_of(folder, tmp_path)).split())
        return section.content(), folder, page.replace("\u00a0", " ")

    return made


def test_each_layer_has_its_share_with_what_it_is_of(draw):
    content, _, page = draw(choices())
    assert content.blocks[1].rows == (
        ("conv1", 0.75, (0.2, 0.9), 4, 1, 2, 2),
        ("conv2", 1.0, (0.34, 1.0), 1, 0, 1, 1),
    )
    assert "2 annotators gave 5 answers on 3 units of 2 layers: 70.0 % are right" in page
    assert "1 answer was “unsure”, which counts half" in page
    assert "In no layer does the interval lie above chance" in page
    assert "Left out" not in page


def test_layers_and_units_have_their_numbers_on_their_pages(draw):
    content, _, _ = draw(choices())
    first, second = content.layers
    assert [(fact.name, fact.value) for fact in first.facts] == [("score", 0.75), ("ends", (0.2, 0.9))]
    assert first.facts[0].evidence.n == 4
    assert [(unit.unit, unit.facts) for unit in first.units] == [(2, ((1, 2),)), (7, ((1, 2),))]
    assert [(unit.unit, unit.facts) for unit in second.units] == [(1, ((1, 1),))]


def test_the_file_has_each_answer_with_what_decides_it(draw):
    _, folder, _ = draw(choices())
    with (folder / "choices.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["more"] for row in rows] == ["left", "right", "right", "unsure", "left"]
    assert [float(row["is_right"]) for row in rows] == [1, 0, 1, 0.5, 1]


def test_what_was_left_out_is_said(draw):
    _, _, page = draw(choices(left_out=(3, 1, 0)))
    assert (
        "Left out are 3 answers on units of another network, 1 answer on units or images that this run does "
        "not have." in page
    )


def test_without_answers_it_says_why(draw):
    content, _, page = draw(Status("not applicable", "nobody was asked"))
    assert content.reason == "nobody was asked" and "nobody was asked" in page
