from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.people_doubt import add_doubt
from tests.small.humans import many
from tests.small.pages import title_of


def test_numbers_are_those_of_the_images(tmp_path):
    section = SectionDraft("humans", tmp_path)
    add_doubt(section, many())
    numbers = section.numbers
    assert (numbers["many_images"], numbers["many_people"], numbers["undoubted"]) == (8, 10, 4)
    assert numbers["crossed"] - numbers["least"] == pytest.approx(0.5)
    assert section.blocks[0].numbers["first_network"] == 0.75
    # Of 4 images each, whose intervals meet.
    assert title_of("humans", "doubt", section.blocks[0].numbers) == (
        "No sign that the network is less often right where people differ"
    )
    assert section.blocks[0].evidence.n == 8


def test_images_without_output_are_in_no_mean(tmp_path):
    section, doubt = SectionDraft("humans", tmp_path), many()
    crossed = np.where(np.arange(8) < 6, np.nan, doubt.cross_entropy)
    add_doubt(section, replace(doubt, cross_entropy=crossed))
    assert section.numbers["crossed_images"] == 2
    assert "crossed" in section.numbers


def test_one_bin_has_no_picture(tmp_path):
    section = SectionDraft("humans", tmp_path)
    add_doubt(section, replace(many(), bin=np.zeros(8, np.int64)))
    assert [block.caption for block in section.blocks] == ["one-doubt"]


@pytest.mark.parametrize(
    ("ends", "title"),
    [
        (
            ((0.8, 0.95), (0.5, 0.7)),
            "less often right where people differ: 60.0 %, not 90.0 %",
        ),
        (
            ((0.5, 0.7), (0.8, 0.95)),
            "more often right where people differ: 90.0 %, not 60.0 %",
        ),
        (((0.5, 0.8), (0.7, 0.95)), "No sign that the network is less often right where people differ"),
    ],
)
def test_the_title_says_what_intervals_bear(ends, title):
    numbers = {f"{which}_ends": one for which, one in zip(("first", "last"), ends, strict=True)}
    shares = {f"{which[:-5]}_network": 0.9 if one[1] > 0.9 else 0.6 for which, one in numbers.items()}
    assert title_of("humans", "doubt", numbers | shares).endswith(title)
