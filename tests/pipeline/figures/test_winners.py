"""What is said of a unit and its strongest images."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.values import check_cells
from pipeline.figures.winners import UNIT_FACTS, Names, count_tied, unit_table, winners_of
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import DrawnLayer
from pipeline.numerics.geometry import whole

NAMES = Names({image: f"{image}.png" for image in range(5)}, dict.fromkeys(range(5), "cat"))


@pytest.fixture
def drawn():
    """Three units of two places: all at its largest activation, one of its own, one image only."""
    return DrawnLayer(
        LayerGeometry((4, 4), whole((8, 8), "global")), units=3, units_never_active=0,
        value=np.array([[6, 6], [6, 5], [6, -np.inf]], np.float32),
        image_id=np.array([[0, 1], [4, 2], [3, -1]]),
        position=np.ones((3, 2, 2), np.uint16), box=np.zeros((3, 2, 4), np.float32),
        passed_over=np.zeros(3, int), unit=np.arange(3), count_active=np.array([9, 9, 1]),
        count_at_maximum=np.array([7, 1, 1]),
    )  # fmt: skip


def by_input(drawn):
    return replace(
        drawn, input=np.array([[9, 8], [7, 5], [6, -np.inf]], np.float32),
        output_rank=np.array([[0, 0], [0, 1], [0, -1]]),
    )  # fmt: skip


def test_a_choice_among_more_images_than_places_is_told(drawn):
    assert count_tied(drawn) == 1
    notices = [list(winners_of(drawn, unit, slice(2)).notices(at)) for unit, at in enumerate((7, 1, 1))]
    assert [len(found) for found in notices] == [1, 0, 0]
    assert notices[0][0].numbers == {"at_maximum": 7, "value": 6.0}


def test_inputs_tell_images_apart(drawn):
    ranked = by_input(drawn)
    assert count_tied(ranked) == 0
    assert not list(winners_of(ranked, 0, slice(2)).notices(7))


@pytest.mark.parametrize("ranked_by_input", [False, True])
def test_rows_and_facts_fit_their_columns(drawn, ranked_by_input):
    found = winners_of(by_input(drawn) if ranked_by_input else drawn, 1, slice(2))
    columns = unit_table(ranked_by_input=ranked_by_input).columns
    for row in found.rows(NAMES):
        check_cells(columns, row, "table")
        cells = dict(zip([column.name for column in columns], row, strict=True))
        assert cells["image"] in ("4.png", "2.png")
    # Ranks are counted from 1.
    assert cells.get("output_rank", 2) == 2 and cells["value"] == 5
    facts = found.facts(9, 20, 1, 0)
    check_cells(UNIT_FACTS, facts, "facts")
    assert facts == (6, (9, 20), (0.258198, 0.657915), 5, 0, None)
    assert winners_of(drawn, 0, slice(2)).facts(9, 20, 7, 0)[-1] == 7
    assert winners_of(drawn, 0, slice(0)).facts(0, 20, 20, None) == (
        None, (0, 20), (0, 0.161125), None, None, None,
    )  # fmt: skip
