import pytest

from pipeline.contents.values import Evidence, Fact
from pipeline.report import cells


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        (None, "share", "–"),
        ("a\nb", "text", "a\\nb"),
        (3, "text", "3"),
        ("\u202ea.png", "image", "\\u202ea.png"),
        (1234, "count", "1,234"),
        (0.123456, "number", "0.1235"),
        (0.5, "share", "50.0\u00a0%"),
        ((0.25, 0.75), "interval", "25.0–75.0\u00a0%"),
        ((7, 10), "proportion", "7 of 10 (70.0\u00a0%)"),
        ((0, 0), "proportion", "0 of 0"),
        ((3, 2), "position", "3, 2"),
        ((-1.5, 0, 9.5, 11), "box", "−1.5, 0, 9.5, 11"),
        ((8, 16), "size", "8\u00a0×\u00a016"),
    ],
)
def test_cells_are_written_by_their_form(cell, form, expected):
    assert cells.text(cell, form) == expected


@pytest.mark.parametrize(
    ("cell", "expected"), [(None, None), ("a", None), (3, 3.0), ((7, 10), 0.7), ((0, 0), 0.0)]
)
def test_cells_are_sorted_by_one_number(cell, expected):
    assert cells.rank(cell) == expected


def test_evidence_is_said():
    found = Evidence(n=1207, of="images", split="test", interval="wilson")
    assert cells.evidence_text(found) == "n = 1,207 images, split “test”, 95\u00a0% intervals (Wilson)"
    assert cells.evidence_text(Evidence(n=6, of="units")) == "n = 6 units"


def test_a_fact_says_what_it_is_of():
    found = Evidence(n=6, of="units")
    assert cells.fact_text(Fact(name="dead", value=1, form="count", evidence=found)) == "1 (n = 6 units)"
    assert cells.fact_text(Fact(name="dead", value=1, form="count")) == "1"
