import csv
import re

import pytest

from pipeline.contents.writing import new_chapter
from pipeline.figures.humans import Shown, add_humans
from pipeline.formats.status import Status
from tests.small.humans import IMAGES, humans
from tests.small.pages import page_of, title_of


@pytest.fixture
def draw(tmp_path):
    def made(listed=12, known=(0, 0), **changed):
        paths = {image: f"class/{image}.png" for image in range(IMAGES)}
        shown = Shown(humans(**changed), paths, ("a", "b", "c"), *known)
        with new_chapter(tmp_path / "people") as chapter:
            section = chapter.section("humans")
            add_humans(section, shown, listed=listed)
        folder = tmp_path / "people/humans"
        page = " ".join(re.sub("<[^>]*>", "", page_of(folder, tmp_path)).split())
        return section.content(), folder, page.replace("\u00a0", " ")

    return made


def table(content, name):
    return next(block for block in content.blocks if getattr(block, "id", "") == name)


def test_two_annotators_beside_the_network(draw):
    content, folder, page = draw()
    assert "People labelled 8 images of the dataset" in page
    assert "Between the network and each of 2 who labelled it is 0.15 in the mean (0.10 to 0.20)" in page
    assert "Between 1 pair of annotators, which is the ceiling, it is 0.30" in page
    consistency = table(content, "consistency").numbers
    assert title_of("humans", "consistency", consistency) == (
        "1 of 3 pairs errs on the same images clearly more than by chance"
    )
    assert title_of("humans", "consistency", {**consistency, "alike": 0}) == (
        "No pair clearly errs on the same images more than by chance"
    )
    assert table(content, "agreement").rows[0] == ("anna", 8, 4, 2, 1, 1, 1)
    assert table(content, "tests").rows[0][1] == 0.75
    assert table(content, "only-network").rows[0] == ("class/0.png", "anna", "a", "b", "a")
    with (folder / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["cell"] for row in rows].count("only-person") == 4
    assert "top-five" not in str(content.blocks) and "how sure they were" not in page


def test_further_guesses_and_how_sure_people_were_are_told(draw):
    _, folder, page = draw(sure=True)
    # Six of the first one's answers are right.
    assert "Of 8 answers it is known how sure they were: 50.0 % in the mean, and 75.0 % (" in page
    with (folder / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["confidence"], row["answer_2"]) for row in rows] == [("0.5", "c")] * 8 + [("", "")] * 8


def test_a_table_of_counts_has_no_ceiling(draw):
    _, _, page = draw(tabled=(True, True))
    assert "A table of counts does not say who chose what" in page
    assert "on 1 image two have the most" in page


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ((5, 0), "On 5 of these images the network was trained"),
        ((8, 0), "On all of these images the network was trained"),
        ((0, 3), "On 3 of these images the network may have been trained"),
        ((0, 0), None),
    ],
)
def test_a_network_that_knows_the_images_is_said_to(draw, known, said):
    _, _, page = draw(known=known)
    assert said in page if said else "the comparison flatters it" not in page


def test_the_mean_of_conditions_is_said(draw):
    _, _, page = draw(conditions=("short", "long"))
    assert "taken within each of 2 conditions and then averaged" in page


def test_many_people_are_held_against_probabilities(draw):
    content, folder, page = draw()
    assert "8 images were labelled by many: 10.0 people each in the mean" in page
    assert "95 % interval 0.60 to 1.20" in page
    # 3 of 4 beside 2 of 4.
    assert "No sign that the network is less often right where people differ" in page
    assert content.images[4].facts[0].value == "b 7, a 3; 10 in all"
    with (folder / "doubt.csv").open() as file:
        assert [row["network_right"] for row in csv.DictReader(file)] == ["3", "2"]


def test_without_many_people_nothing_is_said_of_them(draw):
    content, _, page = draw(doubt=False)
    assert "Where people differ" not in page and "doubt" not in {getattr(b, "id", "") for b in content.blocks}
    assert content.images[0].facts[0].value == "b 1, c 1; 2 in all"


def test_five_guesses_have_a_table_where_they_were_given(draw):
    content, _, _ = draw(top5=True)
    assert table(content, "top-five").rows[0][:3] == ("anna", 8, 1.0)


def test_lists_are_cut_and_say_so(draw):
    content, _, page = draw(listed=1)
    assert len(table(content, "only-person").rows) == 1
    assert "1 of 4 answers, spread evenly; the file of the first figure has all" in page


def test_the_section_without_answers_says_why(tmp_path):
    with new_chapter(tmp_path / "people") as chapter:
        section = chapter.section("humans")
        add_humans(section, Status("not applicable", "there are none"), listed=3)
    assert section.content().reason == "there are none"
    assert "there are none" in page_of(tmp_path / "people/humans", tmp_path)
