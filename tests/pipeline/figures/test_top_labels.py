"""The labels of units' strongest images, of units written by hand."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.top_labels import add_top_labels
from pipeline.formats.status import not_run
from pipeline.formats.units import About, open_units, write_units
from pipeline.report.captions import read_caption
from pipeline.report.wording import line, prose
from tests.small.units import RELU

ABOUT = About(("relu",), 20, 18, 3, "float32", "means", (0.25, 0.5), 0.2, 0.5)
# Of the last images the label is not known.
LABEL = np.array([0] * 9 + [1] * 6 + [2] * 3 + [-1] * 2, np.int32)
TOP = np.full((3, 12), -1)
TOP[1, :10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 17]
TOP[2, :7] = [9, 10, 15, 16, 0, 18, 19]


@contextmanager
def written(folder, layer):
    write_units(folder / "units.h5", ABOUT, [layer], made_from={})
    with open_units(folder / "units.h5") as units:
        yield units


def drawn(folder, label=LABEL):
    section = SectionDraft("top_labels", folder)
    with written(folder, replace(RELU, top_image_id=TOP)) as units:
        add_top_labels(section, units, label, ("cat", "dog", "cow", "unseen"))
    return section.content()


def test_classes_are_counted_with_their_intervals(tmp_path):
    (layer,) = drawn(tmp_path).layers
    never, cats, mixed = layer.units
    assert never.facts == (None,) and not never.rows
    assert cats.facts == ((9, 10),) and mixed.facts == ((2, 5),)
    assert [row[:2] for row in cats.rows] == [("cat", (9, 10)), ("cow", (1, 10))]
    # Of equal ones the first class comes first; an image without a label does not count.
    assert [row[:2] for row in mixed.rows] == [("dog", (2, 5)), ("cow", (2, 5)), ("cat", (1, 5))]
    assert [row[3] for row in mixed.rows] == pytest.approx([6 / 18, 3 / 18, 9 / 18], rel=1e-5)
    interval = binomtest(9, 10).proportion_ci(method="wilson")
    assert cats.rows[0][2] == pytest.approx((interval.low, interval.high), rel=1e-5)


def test_one_class_is_sure_where_the_interval_says_so(tmp_path):
    content = drawn(tmp_path)
    figure, table = content.blocks
    (row,) = table.rows
    assert row[:4] == ("relu", 3, 2, pytest.approx((9 / 10 + 2 / 5) / 2)) and row[5] == 1
    # Of ten images at random, of which half are cats, five or six are of one class; of five, three.
    assert row[4] in (0.55, 0.6)
    assert figure.id == "leading" and figure.evidence.n == 2
    lines = (tmp_path / "leading.csv").read_text().splitlines()
    assert [line for line in lines[1:] if not line.endswith(",0")] == ["relu,0.4,0.42,1", "relu,0.9,0.92,1"]
    assert content.numbers["of_one_class"] == 1 and content.numbers["top"] == 12


def test_a_unit_of_few_images_does_not_count_for_its_layer(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "TOP", np.where(np.arange(3)[:, None] == 0, np.r_[9, [-1] * 11], TOP))
    content = drawn(tmp_path)
    assert content.layers[0].units[0].facts == ((1, 1),)
    assert content.blocks[1].rows[0][2:4] == (2, pytest.approx((9 / 10 + 2 / 5) / 2))


def test_where_the_title_compares_layers_too_units_of_few_images_are_counted(tmp_path):
    rows = np.where(np.arange(12) < 9, np.arange(12), -1)
    # In the one layer the strongest are cats alone, in the other a cat, dogs and cows.
    layers = [
        replace(RELU, top_image_id=np.stack([TOP[0], row, row]))
        for row in (rows, np.where(rows < 0, -1, 2 * np.arange(12)))
    ]
    write_units(tmp_path / "units.h5", replace(ABOUT, layers=("relu", "pool")), layers, made_from={})
    section = SectionDraft("top_labels", tmp_path)
    with open_units(tmp_path / "units.h5") as units:
        add_top_labels(section, units, LABEL, ("cat", "dog", "cow", "unseen"))
    content, words = section.content(), read_caption("top_labels").part("leading")
    numbers = {**content.numbers, **content.blocks[0].numbers}
    assert "images in pool" in line(words, "title", numbers) and "% in relu" in line(words, "title", numbers)
    assert "positive on fewer than 5 labelled images are left out" in prose(words, numbers)


def test_classes_too_small_for_half_of_the_images_are_said():
    words, numbers = read_caption("top_labels").words, {"of_one_class": 0, "units": 9, "top": 100}
    assert "; no class has more than 4\u00a0images." in line(words, "finding", numbers | {"largest": 4})
    assert "no class has" not in line(words, "finding", numbers | {"largest": 51})


def test_words_fit_the_numbers(tmp_path):
    words, numbers = read_caption("top_labels").words, drawn(tmp_path).numbers
    said = (
        "In 1 of 3\u00a0units one class has surely more than half of the unit’s strongest images, 12 at most"
    )
    assert said in line(words, "finding", numbers)
    assert "half precision" not in prose(words, numbers)
    assert "half precision" in prose(words, {**numbers, "half_precision": 1})


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (
            np.full(20, -1, np.int32),
            "no image has a label, so that no class can stand out among the strongest ones: give labels",
        ),
        (np.minimum(LABEL, 0), "are of one class"),
        (np.arange(20, dtype=np.int32), "no class has two"),
    ],
)
def test_without_classes_it_is_not_applicable(tmp_path, label, reason):
    content = drawn(tmp_path, label)
    assert content.status == "not applicable" and reason in content.reason and not content.layers


def test_section_without_data_says_why(tmp_path):
    section = SectionDraft("top_labels", tmp_path)
    add_top_labels(section, not_run("units"), LABEL, ())
    assert section.content().reason == "params.yaml says units.run: false"
