"""How good filters are: warning, course, table."""

import csv

import pytest

from pipeline.contents.blocks import Figure, Notice, Table
from tests.small.filters import draft_of


def test_noise_is_warned_of(tmp_path):
    draft = draft_of(tmp_path, noise=True)
    (notice,) = [block for block in draft.blocks if isinstance(block, Notice)]
    assert notice.caption == "noise"
    assert (draft.numbers["noise"], draft.numbers["noise_layers"], draft.numbers["judged"]) == ("deep", 1, 2)


@pytest.mark.parametrize("at_start", ["", "epoch-0000"])
def test_quality_stands_beside_that_before_training(tmp_path, at_start):
    draft = draft_of(tmp_path, at_start=at_start)
    (table,) = [block for block in draft.blocks if isinstance(block, Table)]
    names = [column.name for column in table.columns]
    assert ("smoothness_at_start" in names) == bool(at_start)
    assert table.rows[0][names.index("smoothness")] == 0.25
    (course,) = [block for block in draft.blocks if isinstance(block, Figure) and block.id == "smoothness"]
    with (draft.folder / course.data).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == ["conv", "deep"]
    assert rows[0]["smoothness_at_start"] == ("0" if at_start else "")
