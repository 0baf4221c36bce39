import csv
from dataclasses import replace

import pytest

from pipeline.contents.writing import new_chapter
from pipeline.figures.attribute_pairs import add_interaction
from tests.small.attributes import attributes


def draw(folder, found):
    with new_chapter(folder / "failures") as chapter:
        section = chapter.section("attributes")
        add_interaction(section, found)
        return section.content().blocks[0]


def test_cells_that_hold_images_are_in_the_file(tmp_path):
    figure = draw(tmp_path, attributes())
    assert figure.evidence.n == 120 and figure.numbers["empty"] == 3
    assert "adds_up" not in figure.numbers
    with (tmp_path / "failures/attributes/pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["brightness"], row["light"], row["images"], row["right"]) for row in rows] == [
        ("0 – 0.5", "day", "20", "10"), ("0 – 0.5", "<b>", "20", "20"), ("1 – 1.5", "<b>", "80", "70"),
    ]  # fmt: skip


@pytest.mark.parametrize(("chance", "adds_up"), [(0.2, 1), (0.01, 0)])
def test_whether_effects_add_up_is_said(tmp_path, chance, adds_up):
    found = attributes()
    both = replace(found.interaction, ratio=3.0, freedom=1, chance=chance)
    assert draw(tmp_path, replace(found, interaction=both)).numbers["adds_up"] == adds_up
