"""Colour against frequency."""

from pipeline.contents.blocks import Figure
from pipeline.formats.filters import Separation
from tests.small.filters import draft_of


def is_looks(block):
    return isinstance(block, Figure) and block.caption == "looks"


def test_separation_is_told_where_there_are_groups(tmp_path):
    (looks,) = [
        block
        for block in draft_of(tmp_path, separation=Separation(0.3, 2, 1, 1.0, 0.5)).blocks
        if is_looks(block)
    ]
    assert (looks.numbers["share"], looks.numbers["p"], looks.evidence.n) == (1.0, 0.5, 3)


def test_groups_that_are_not_there_are_not_told(tmp_path):
    (looks,) = [block for block in draft_of(tmp_path).blocks if is_looks(block)]
    assert "share" not in looks.numbers
