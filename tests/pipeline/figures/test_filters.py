"""The section of filters: warnings, the table, and what it says where there is nothing."""

import pytest

from pipeline.contents.blocks import Notice, Table
from pipeline.contents.writing import SectionDraft
from pipeline.figures.filters import add_filters
from pipeline.formats.status import not_run
from tests.small.filters import BOUNDS, DRAWN, draft_of


def test_noise_is_warned_of(tmp_path):
    draft = draft_of(tmp_path, noise=True)
    (notice,) = [block for block in draft.blocks if isinstance(block, Notice)]
    assert notice.caption == "noise"
    assert (draft.numbers["noise"], draft.numbers["noise_layers"], draft.numbers["judged"]) == ("deep", 1, 2)


@pytest.mark.parametrize("at_start", ["", "epoch-0000"])
def test_quality_stands_beside_that_before_training(tmp_path, at_start):
    (table,) = [block for block in draft_of(tmp_path, at_start=at_start).blocks if isinstance(block, Table)]
    names = [column.name for column in table.columns]
    assert ("smoothness_at_start" in names) == bool(at_start)
    assert table.rows[0][names.index("smoothness")] == 0.25


def test_section_without_data_says_why(tmp_path):
    draft = SectionDraft("filters", tmp_path)
    add_filters(draft, not_run("filters"), DRAWN, BOUNDS)
    assert draft.content().reason == "params.yaml says filters.run: false"
