import csv
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from pipeline.contents.map_points import Attribute
from pipeline.contents.writing import SectionDraft
from pipeline.figures import colourings
from pipeline.figures.colourings import MOST_ATTRIBUTES, add_colourings
from pipeline.figures.drawing.palette import RIGHT, SCALE, SEQUENCE, WRONG
from pipeline.figures.drawing.plotting import plot
from pipeline.figures.embedding import Points
from tests.small.pages import title_of

COUNT = 40
LABEL = np.repeat(np.arange(2, dtype=np.int32), 20)
PREDICTED = np.where(np.arange(COUNT) % 10 == 0, 1 - LABEL, LABEL).astype(np.int32)


def points(label=LABEL, predicted=PREDICTED, attributes=(), without_output=()):
    xy = np.stack((np.arange(COUNT), np.arange(COUNT) % 7), 1).astype(np.float32)
    cells = np.stack(np.divmod(np.arange(COUNT), 8), 1)
    return Points(
        np.arange(COUNT), [f"{row}.png" for row in range(COUNT)], xy, cells, (8, 8), label, predicted,
        ("a", "b"), {}, attributes, without_output,
    )  # fmt: skip


@pytest.fixture
def draw(tmp_path):
    def once(found):
        section = SectionDraft("embedding", tmp_path)
        add_colourings(section, found)
        return {one.id: one for block in section.blocks for one in block.figures}

    return once


def colours_of(path):
    """The colours of at least a dot, as #rrggbb."""
    pixels = np.asarray(Image.open(path).convert("RGBA"))
    opaque = pixels[pixels[..., 3] == 255][:, :3]
    found, counts = np.unique(opaque, axis=0, return_counts=True)
    return {f"#{bytes(one.tolist()).hex()}" for one in found[counts > 30]}


def test_prediction_and_right_and_wrong_have_their_colours(draw, tmp_path):
    figures = draw(points())
    assert list(figures) == ["by-predicted", "by-right"]
    assert set(SEQUENCE[:2]) <= colours_of(tmp_path / figures["by-predicted"].image)
    assert {RIGHT, WRONG} <= colours_of(tmp_path / figures["by-right"].image)
    table = list(csv.DictReader((tmp_path / "colours.csv").open()))
    assert [row["right"] for row in table[:3]] == ["wrong", "right", "right"]
    assert title(figures) == "By right and wrong: 4 of 40 images are wrong"


def title(figures):
    return title_of("embedding", "by-right", figures["by-right"].numbers)


def test_what_is_wrong_is_counted_among_what_has_a_label(draw):
    assert title(draw(points(predicted=LABEL))) == "By right and wrong: none of 40 images is wrong"
    assert title(draw(points(without_output=[0]))) == "By right and wrong: 2 of 20 images are wrong"


def test_of_classes_that_no_output_stands_for_it_is_not_said_whether_the_network_is_right(draw, tmp_path):
    assert list(draw(points(without_output=[0, 1]))) == ["by-predicted"]
    draw(points(without_output=[0]))
    table = list(csv.DictReader((tmp_path / "colours.csv").open()))
    assert [row["right"] for row in table[:20]] == [""] * 20
    assert {row["right"] for row in table[20:]} == {"right", "wrong"}


def test_attributes_are_coloured_by_word_or_on_a_scale(draw, tmp_path):
    number = np.where(np.arange(COUNT) == 5, np.nan, np.arange(COUNT))
    word = np.where(np.arange(COUNT) < 3, -1, np.arange(COUNT) % 3)
    figures = draw(points(attributes=[Attribute("$size", number), Attribute("<b>", word, ("x", "y", "z"))]))
    scale, words = figures["by-attribute-000"], figures["by-attribute-001"]
    assert (scale.numbers["attribute"], scale.numbers["unknown"]) == ("$size", 1)
    assert (words.numbers["words"], words.numbers["unknown"]) == (3, 3)
    assert {*SEQUENCE[:3]} <= colours_of(tmp_path / words.image)
    ends = [np.array(to_rgb(SCALE[place])) * 255 for place in (0, -1)]
    drawn = [np.array(to_rgb(one)) * 255 for one in colours_of(tmp_path / scale.image)]
    assert all(min(np.abs(one - end).max() for one in drawn) < 8 for end in ends)
    table = list(csv.DictReader((tmp_path / "colours.csv").open()))
    assert (table[5]["$size"], table[0]["<b>"], table[4]["<b>"]) == ("", "", "y")


@pytest.mark.parametrize("largest", [1e-3, 0.73, 17_640, 186_000])
def test_numbers_of_a_scale_stand_apart(draw, monkeypatch, largest):
    shown = []

    def seen(folder, name, size, paint):
        def painted(figure, theme):
            paint(figure, theme)
            shown.append(figure)

        return plot(folder, name, size, painted)

    monkeypatch.setattr(colourings, "plot", seen)
    draw(points(attributes=[Attribute("sharpness", np.linspace(0, largest, COUNT))]))
    bar = shown[-1].axes[-1]
    boxes = [label.get_window_extent() for label in bar.get_xticklabels() if label.get_text()]
    assert len(boxes) >= 2
    assert all(left.x1 + 12 < right.x0 for left, right in pairwise(sorted(boxes, key=lambda box: box.x0)))


def test_what_is_the_same_for_all_is_not_drawn(draw):
    none = np.full(COUNT, -1, np.int32)
    assert not draw(points(label=none, predicted=np.zeros(COUNT, np.int32)))


def test_the_figures_of_many_attributes_are_limited(draw):
    many = [Attribute(f"a{k}", np.arange(COUNT, dtype=float)) for k in range(MOST_ATTRIBUTES + 1)]
    figures = draw(points(attributes=many))
    assert sum(name.startswith("by-attribute") for name in figures) == MOST_ATTRIBUTES


def test_a_picture_is_as_flat_as_the_map(draw):
    flat, tall = points(), points()
    tall.xy[:, 1] *= 100
    for found, height in ((flat, 0.4), (tall, 1)):
        figure = draw(found)["by-right"]
        assert figure.height == pytest.approx(96 * (colourings.LEGEND + height * colourings.WIDTH), abs=1)
