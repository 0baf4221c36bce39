"""The filter on a unit's page."""

import numpy as np

from tests.small.filters import HEAD, draft_of, pixels


def test_a_unit_s_page_shows_its_filter(tmp_path):
    draft = draft_of(tmp_path)
    relu, between, head = draft.layers
    assert (relu.layer, between.layer) == ("relu", "sum")
    assert not between.units and not between.facts
    assert [bool(unit.strips) for unit in relu.units] == [True, False, True]
    columns = [column.name for column in relu.unit_facts]
    assert dict(zip(columns, relu.units[1].facts, strict=True)) == {
        "filter_smoothness": 0.5, "turned": 1, "colourfulness": 0, "frequency": 0.2,
    }  # fmt: skip
    strip = relu.units[0].strips[0]
    box = (strip.x, strip.y, strip.x + strip.width, strip.y + strip.height)
    picture = pixels(draft.folder, relu.sheets[0].file, box)
    assert (picture[25:60, 5:50] == (255, 128, 128)).all()
    strongest = np.argsort(-np.abs(HEAD[1, :, 0, 0]))[:8].tolist()
    assert [row[0] for row in head.units[1].rows] == strongest
    assert not head.units[0].rows
