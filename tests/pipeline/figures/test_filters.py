"""The section of filters: which layers it shows, and what it says where there is nothing."""

import numpy as np
import pytest

from pipeline.contents.blocks import Figure, Text
from pipeline.contents.writing import SectionDraft
from pipeline.figures.filters import Drawn, add_filters
from pipeline.formats.status import not_run
from tests.small.filters import BOUNDS, DRAWN, draft_of


@pytest.mark.parametrize(
    ("most", "shown"), [(0, []), (1, ["head"]), (2, ["deep", "head"]), (9, ["deep", "head"])]
)
def test_further_layers_are_as_many_as_asked_for(tmp_path, most, shown):
    draft = draft_of(tmp_path, Drawn(most, {"relu": np.array([0])}))
    figures = [block for block in draft.blocks if isinstance(block, Figure) and block.caption == "layer"]
    assert [figure.numbers["layer"] for figure in figures] == ["conv", *shown]
    assert [block.numbers["shown"] for block in draft.blocks if isinstance(block, Text)] == [len(shown)] * (
        most > 0
    )


def test_pages_of_layers_show_the_same_pictures(tmp_path):
    draft = draft_of(tmp_path)
    own = {block.image for block in draft.blocks if isinstance(block, Figure)}
    assert {layer.blocks[0].image for layer in draft.layers if layer.blocks} <= own
    assert draft.content()


def test_section_without_data_says_why(tmp_path):
    draft = SectionDraft("filters", tmp_path)
    add_filters(draft, not_run("filters"), DRAWN, BOUNDS)
    assert draft.content().reason == "params.yaml says filters.run: false"
