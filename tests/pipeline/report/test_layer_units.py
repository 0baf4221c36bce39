import pytest

from pipeline.contents.parts import LayerPart, UnitLink, UnitPart
from pipeline.contents.section import Section
from pipeline.contents.values import Column
from pipeline.report.captions import read_caption
from pipeline.report.collecting import LayerEntry, Worded
from pipeline.report.layer_units import BINS, choices, distributions, record, sorted_numbers, unit_table
from tests.pipeline.report import fakes

COLUMNS = (
    Column(name="size", form="number"), Column(name="share", form="proportion"), Column(name="word"),
    Column(name="range", form="interval"),
)  # fmt: skip


@pytest.fixture
def table(tmp_path):
    facts = (
        (2.0, (1, 4), "b", (0, 1)), (None, (3, 4), None, None), (1.0, (2, 8), "a", (0, 1)),
        (3.0, (0, 0), "b", None),
    )  # fmt: skip
    near = ((UnitLink("other", 1, 0.5),), (UnitLink("layer", 2, 0.25), UnitLink("layer", 0, 0.125)))
    units = tuple(
        UnitPart(unit=2 * number, facts=own, related=near if number == 1 else ())
        for number, own in enumerate(facts)
    )
    part = LayerPart(layer="layer", unit_facts=COLUMNS, units=units, unit_related=("near", "far"))
    section = Section(name="patches", layers=(part,))
    worded = Worded(section, read_caption("patches", fakes.captions(tmp_path)), {})
    return unit_table(LayerEntry("layer", [(worded, part)]))


def test_numbers_in_which_units_differ_are_distributed(table):
    size, share = distributions(table)
    assert (size["key"], size["low"], size["middle"], size["high"], size["n"]) == (
        "patches.size",
        "1",
        "2",
        "3",
        "3",
    )
    # One unit at each end and one in the middle, all bars as high as the drawing.
    step = 240 / BINS
    assert size["bars"] == "".join(
        f"M{place * step:g} 60v-60h{step:g}V60z" for place in (0, BINS // 2, BINS - 1)
    )
    # None of none is none.
    assert (share["low"], share["middle"], share["high"]) == ("0.0\u00a0%", "25.0\u00a0%", "75.0\u00a0%")


def test_words_are_chosen_by(table):
    (word,) = choices(table)
    assert (word["key"], word["words"]) == ("patches.word", [("a", "a", 1), ("b", "b", 2)])


def test_units_have_their_places_among_different_values(table):
    size, share = sorted_numbers(table)
    assert size == ("patches.size", "size", ["2", "", "1", "3"], [1, None, 0, 2])
    assert share[2][0] == "1 of 4 (25.0\u00a0%)" and share[3] == [1, 2, 1, 0]


def test_units_have_their_words(table):
    assert record(table)["words"] == ["patches.word"]
    assert [unit[:3] for unit in record(table)["units"]] == [
        (0, 0, ["b"]),
        (2, 0, [None]),
        (4, 0, ["a"]),
        (6, 0, ["b"]),
    ]


def test_the_first_group_within_the_layer_says_which_units_are_alike(table):
    assert [unit[3] for unit in record(table)["units"]] == [[], [(2, "0.25"), (0, "0.125")], [], []]
