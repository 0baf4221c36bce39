"""Whole images, each drawn once."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.whole_images import draw_whole_images
from pipeline.formats.patches import Context

SIDE = 32


class Source:
    """Images of 40 by 20 pixels, of one grey each, of which the network saw all; image 3 cannot be read."""

    about = SimpleNamespace(picture=SIDE)

    def __init__(self):
        self.read = []

    def context(self, image_id):
        self.read.append(image_id)
        if image_id == 3:
            return None
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[8:24] = 10 * image_id
        return Context(pixels, 0.8, (0, 8), (0, 0, 40, 20))


@pytest.fixture
def section(tmp_path):
    return SectionDraft("patches", tmp_path)


def pixels(section, one):
    with Image.open(section.folder / section.sheets[one.sheet].file) as image:
        return np.asarray(image.convert("RGB"))[one.y : one.y + one.height, one.x : one.x + one.width]


def draw(section, image_id, threads=1):
    source = Source()
    return draw_whole_images(section, source, np.array(image_id), threads=threads), source


def test_each_image_is_read_and_drawn_once_in_the_order_in_which_it_is_shown(section):
    found, source = draw(section, [7, 2, 7, -1, 5, 2, -1])
    assert source.read == [7, 2, 5]
    assert [one.image_id for one in section.whole_images] == [7, 2, 5]
    assert [found[image_id].place for image_id in (7, 2, 5)] == [0, 1, 2]
    assert len(section.sheets) == 3
    for one in section.whole_images:
        assert (one.width, one.height) == (32, 16)
        np.testing.assert_array_equal(pixels(section, one), 10 * one.image_id)


@pytest.mark.parametrize("threads", [1, 3])
def test_of_many_images_several_share_a_sheet(section, monkeypatch, threads):
    monkeypatch.setattr("pipeline.figures.whole_images.MOST_SHEETS", 3)
    draw(section, [9, 8, 4, 6, 1], threads)
    assert [one.sheet for one in section.whole_images] == [0, 0, 1, 1, 2]
    assert [one.image_id for one in section.whole_images] == [9, 8, 4, 6, 1]
    for one in section.whole_images:
        np.testing.assert_array_equal(pixels(section, one), 10 * one.image_id)


def test_a_box_is_framed_where_it_lies_and_cut_off_at_the_edges(section):
    found, _ = draw(section, [7])
    assert found.scene(7, 1.5, np.array([10, 5, 20, 10], np.float32)).box == (8, 4, 16, 8)
    assert found.scene(7, 1.5, np.array([-9, 5, 60, 30], np.float32)).box == (0, 4, 32, 16)
    assert found.scene(7, 1.5, np.array([0, 0, 1, 1], np.float32)).value == 1.5


def test_an_image_that_cannot_be_read_takes_no_room(section):
    found, _ = draw(section, [3, 2])
    assert [one.image_id for one in section.whole_images] == [2]
    assert len(section.sheets) == 1
    assert found.scene(3, 2.0, np.zeros(4, np.float32)).image is None
