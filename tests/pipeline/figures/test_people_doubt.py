from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.people_doubt import add_doubt
from tests.small.humans import many


def test_numbers_are_those_of_the_images(tmp_path):
    section = SectionDraft("humans", tmp_path)
    add_doubt(section, many())
    numbers = section.numbers
    assert (numbers["many_images"], numbers["many_people"], numbers["undoubted"]) == (8, 10, 4)
    assert numbers["crossed"] - numbers["least"] == pytest.approx(0.5)
    assert section.blocks[0].numbers["first_network"] == 0.75
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
