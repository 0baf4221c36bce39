import csv
import re

import numpy as np
import pytest

from pipeline.contents.blocks import Figure, Multiples, Notice, Table
from pipeline.contents.writing import new_chapter
from pipeline.figures.attributes import TILE, Shown, add_attributes, ratio
from pipeline.formats.status import not_run
from tests.small.attributes import attributes
from tests.small.pages import page_of, title_of

TILES = np.full((TILE, TILE, 4), 200, np.uint8)
SHOWN = {
    number: Shown(f"class/{number}.png", "cat", number % 2 == 0, TILES if number < 20 else None)
    for number in (0, 3, 7, 9, 11, 20)
}


def draw(folder, found, listed=2):
    with new_chapter(folder / "failures") as chapter:
        section = chapter.section("attributes")
        add_attributes(section, found, SHOWN, listed=listed)
        return section.content()


def said(folder, found):
    draw(folder, found)
    page = page_of(folder / "failures" / "attributes", folder)
    return " ".join(page.replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("figures"), attributes())


def test_attributes_stand_in_their_order_with_their_worst_bin(section):
    table = next(block for block in section.blocks if isinstance(block, Table))
    first, words, _ = table.rows
    assert first[:6] == ("brightness", 0.002, 0.001, 0.01, "0 – 0.5", 0.5)
    assert first[7] == pytest.approx(0.5 / (20 / 120))
    assert first[7] == pytest.approx(ratio(attributes().effects[0], attributes()))
    assert (words[4], words[9], words[2]) == ("<b>", "day", pytest.approx(0.3))
    assert table.rows[2][2:4] == (None, None)
    assert (table.evidence.n, table.evidence.split) == (120, "test")


def test_every_figure_has_its_numbers(tmp_path):
    section = draw(tmp_path, attributes())
    folder = tmp_path / "failures" / "attributes"
    many = [block for block in section.blocks if isinstance(block, Multiples)]
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    figures += [figure for block in many for figure in block.figures]
    assert [one.id for one in figures] == ["overview", "pairs", "curve-0", "curve-1", "examples-0"]
    assert all((folder / one.data).is_file() and (folder / one.image).is_file() for one in figures)
    with (folder / "ranking.csv").open(newline="") as file:
        assert [row["attribute"] for row in csv.DictReader(file)] == ["brightness", "light", "size"]
    drawn = (folder / "examples-0.svg").read_text(encoding="utf-8")
    assert re.findall(r"(worst|best): [^<]* % of [\d,]+ right", drawn) == ["worst", "best"]


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "Mistakes go with brightness: 50.0 % right where worst, 95.0 % where best"),
        ({"surviving": 2}, "Mistakes go with brightness most: 50.0 % right where worst, 95.0 % where best"),
        ({"surviving": 0}, "None of 3 attributes clearly goes with the mistakes"),
        ({"surviving": 0, "attributes": 1}, "brightness does not clearly go with the mistakes"),
    ],
)
def test_the_overview_names_what_the_mistakes_go_with(section, changed, title):
    assert title_of("attributes", "overview", section.numbers | changed) == title


def test_images_say_what_they_are_like(section):
    facts = {part.image_id: {fact.name: fact.value for fact in part.facts} for part in section.images}
    assert facts[0] == {"brightness": 0.1, "light": "day", "size": 0}
    assert facts[3] == {"brightness": 0.2, "size": 1}
    assert "brightness" not in facts[7]


def test_what_survives_is_said(tmp_path):
    page = said(tmp_path, attributes())
    assert "Foremost is brightness" in page
    assert "nearly equal in brightness, the other attribute does not" in page
    assert "Not compared, for hardly anything differs in them: aspect" in page
    assert "&lt;b&gt;" in page and "<b>" not in page


def test_where_nothing_survives_nothing_is_claimed(tmp_path):
    page = said(tmp_path, attributes(surviving=False))
    assert "Foremost" not in page and "nearly equal in brightness" not in page
    assert "None of 3 attributes goes with the mistakes beyond what chance explains" in page


def test_where_nothing_varies_that_is_all_that_is_said(tmp_path):
    found = attributes(effects=(), values={}, interaction=None, chain=())
    section = draw(tmp_path, found)
    assert [type(block) for block in section.blocks] == [Notice]
    assert "alike in every attribute" in said(tmp_path, found)


def test_what_was_left_out_says_so(tmp_path):
    section = draw(tmp_path, not_run("attributes"))
    assert (section.status, section.blocks) == ("not run", ())
