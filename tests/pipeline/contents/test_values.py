"""Numbers and cells."""

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.contents.blocks import Table, Text
from pipeline.contents.values import Column, spreadsheet_columns, spreadsheet_row

COLUMNS = (
    Column(name="class", form="class"),
    Column(name="accuracy", form="interval"),
    Column(name="box", form="box"),
)


def test_numbers_become_plain_with_six_digits():
    numbers = {"share": np.float32(1 / 3), "count": np.int64(7), "name": "é", "size": (np.float64(2 / 3), 1)}
    text = Text(caption="body", numbers=numbers)
    assert text.numbers == {"share": 0.333333, "count": 7, "name": "é", "size": (0.666667, 1)}
    assert [type(value) for value in text.numbers.values()] == [float, int, str, tuple]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None, ["a"]])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(ValidationError):
        Text(caption="body", numbers={"x": number})


@pytest.mark.parametrize("caption", ["", "two words", "../up", "-x", 'x"><script>'])
def test_names_of_captions_are_plain(caption):
    with pytest.raises(ValidationError, match="caption"):
        Text(caption=caption)


def test_cells_of_several_numbers_spread_over_a_spreadsheet():
    table = Table(id="t", caption="t", columns=COLUMNS, rows=(("a", np.array([0.1, 0.2]), None),))
    assert spreadsheet_columns(table.columns) == (
        "class", "accuracy low", "accuracy high", "box x0", "box y0", "box x1", "box y1"
    )  # fmt: skip
    assert spreadsheet_row(table.columns, table.rows[0]) == ("a", 0.1, 0.2, None, None, None, None)


@pytest.mark.parametrize("row", [("a", 0.5, None), ("a", (0.1,), None), (("a",), None, None), ("a", None)])
def test_cells_that_are_not_of_their_column_are_refused(row):
    with pytest.raises(ValidationError):
        Table(id="t", caption="t", columns=COLUMNS, rows=(row,))
