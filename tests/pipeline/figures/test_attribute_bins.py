import csv

import numpy as np
import pytest

from pipeline.contents.values import Evidence
from pipeline.contents.writing import new_chapter
from pipeline.figures.attribute_bins import add_curves, bin_label, bin_name, bin_said
from tests.small.attributes import attributes, bins
from tests.small.pages import title_of


def test_bins_are_called_by_their_ends_or_their_words():
    brightness, light, _ = attributes().effects
    assert [bin_name(brightness, place) for place in range(3)] == ["0 – 0.5", "1 – 1.5", "2 – 2.5"]
    assert [bin_name(light, place) for place in range(2)] == ["day", "<b>"]
    assert [bin_said(brightness, place) for place in range(3)] == ["at most 0.5", "1 – 1.5", "at least 2"]
    assert [bin_said(light, place) for place in range(2)] == ["day", "<b>"]
    large = bins([0.5, 0.6])
    large.low[:], large.high[:] = (0.123456, 48_000), (0.123456, 123_456_789.0)
    object.__setattr__(brightness, "bins", large)
    assert [bin_name(brightness, place) for place in range(2)] == ["0.123", "48,000 – 123,456,789"]
    assert [bin_said(brightness, place) for place in range(2)] == ["0.123", "at least 48,000"]
    assert bin_label(brightness, 1) == bin_name(brightness, 1), "half a number is another number"
    object.__setattr__(light.bins, "words", ("a very long word indeed", "<b>"))
    assert [bin_label(light, place) for place in range(2)] == ["a very long wor…", "<b>"]


def test_all_bins_are_in_the_file_and_the_first_attributes_are_drawn(tmp_path):
    found = attributes()
    with new_chapter(tmp_path / "failures") as chapter:
        section = chapter.section("attributes")
        add_curves(section, found, Evidence(n=120, split="test", interval="wilson"), 3)
        drawn = section.content().blocks[0].figures
    with (tmp_path / "failures/attributes/bins.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["attribute"] for row in rows] == ["brightness"] * 3 + ["light"] * 2 + ["size"] * 2
    assert float(rows[0]["error_ratio"]) == pytest.approx(0.5 / (20 / 120), rel=1e-4)
    assert np.allclose([float(row["accuracy"]) for row in rows[:3]], [0.5, 0.9, 0.95])
    assert [figure.evidence.interval for figure in drawn] == ["wilson", "wilson", "bootstrap"]
    assert (drawn[2].evidence.of, drawn[2].evidence.n) == ("classes", 8)
    assert [figure.numbers["survives"] for figure in drawn] == [1, 0, 0]
    assert drawn[1].numbers["missing"] == 40
    assert [title_of("attributes", "curve", figure.numbers) for figure in drawn] == [
        "brightness: right from 50.0 % (at most 0.5) to 95.0 % (at least 2)",
        "light: no clear link with the mistakes", "size: no clear link with the mistakes",
    ]  # fmt: skip
