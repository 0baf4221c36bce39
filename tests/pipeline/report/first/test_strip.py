import pytest

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.contents.values import Column
from pipeline.report.collecting import LayerEntry, Worded
from pipeline.report.first import strip

ACTIVE = Column(name="active", form="proportion")
SELECTIVITY = Column(name="selectivity")


def layer(columns, facts):
    """Make one whose units have these facts, in the order of the units."""
    units = tuple(UnitPart(unit=unit, facts=cells) for unit, cells in enumerate(facts))
    part = LayerPart(layer="conv", unit_facts=columns, units=units)
    return LayerEntry("conv", [(Worded(None, None, {}), part)])


@pytest.fixture(autouse=True)
def pictures(monkeypatch):
    monkeypatch.setattr(strip, "glimpse_of", lambda unit: (unit, None, None))


def choice(columns, facts):
    chosen, by = strip.choose_units([layer(columns, facts)])
    return [one.unit for one in chosen], by


def test_a_unit_of_one_image_is_not_the_most_selective():
    facts = [((300, 500), 0.2), ((1, 500), 1.0), ((10, 500), 0.4)]
    assert choice((ACTIVE, SELECTIVITY), facts) == ([2], "selectivity")


def test_where_all_are_active_on_few_images_the_most_selective_of_them_is_chosen():
    assert choice((ACTIVE, SELECTIVITY), [((3, 5), 0.2), ((1, 5), 1.0)]) == ([1], "selectivity")


def test_without_selectivity_the_rarest_unit_of_those_that_are_active_on_ten_images_is_chosen():
    assert choice((ACTIVE,), [((300, 500),), ((1, 500),), ((12, 500),)]) == ([2], "active")
