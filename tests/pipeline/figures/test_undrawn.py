import numpy as np
import pytest

from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.figures.undrawn import add_undrawn, winners
from pipeline.figures.winners import UNIT_FACTS, WINNERS, Names
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.topk import About, RankedLayer
from pipeline.numerics.geometry import ReceptiveField

ABOUT = About(layers=("a",), images=10, k=2, margin=1, input_size=(8, 8))
NAMES = Names({image: f"{image}.png" for image in range(10)}, dict.fromkeys(range(10), "cat"))


@pytest.fixture
def layer():
    """Three units: one of many images, one of a single one, one that is never active."""
    value = np.array([[3, 2, 1], [1.5, 0, -1], [0, 0, -2]], np.float32)
    return RankedLayer(
        geometry=LayerGeometry((4, 4), ReceptiveField((3, 3), (1, 1), (0, 0), "exact")),
        value=value,
        image_id=np.array([[7, 4, 9], [4, 0, 1], [0, 1, 2]]),
        position=np.array([[[1, 2]] * 3] * 3, np.uint16),
        box=np.array([[[0, 1, 2, 3]] * 3] * 3, np.float32),
        count_active=np.array([8, 1, 0]),
        count_at_maximum=np.array([1, 1, 2]),
        duplicate=np.zeros((3, 3), bool),
    )


def test_images_of_positive_maxima_among_the_first_k_are_winners(layer):
    assert winners([layer, layer], 2).tolist() == [4, 7]
    assert winners([], 2).tolist() == []


def test_units_are_told_as_the_ranking_has_them(layer):
    part = add_undrawn(LayerPart(layer="a"), layer, ABOUT, NAMES)
    assert (part.units_total, part.unit_facts, part.unit_table) == (3, UNIT_FACTS, WINNERS)
    many, single, never = part.units
    assert many.facts == (3.0, (8, 10), (0.490162, 0.943318), 2.0, None, None)
    assert many.rows == (
        (3.0, "7.png", "cat", (1, 2), (0, 1, 2, 3)), (2.0, "4.png", "cat", (1, 2), (0, 1, 2, 3))
    )  # fmt: skip
    assert single.facts[::3] == (1.5, 1.5) and len(single.rows) == 1
    assert never.facts == (None, (0, 10), (0, 0.277533), None, None, None) and not never.rows
    assert not any(unit.strips or unit.blocks for unit in part.units)


def test_drawn_units_stay_as_they_are(layer):
    drawn = UnitPart(unit=1, facts=(9.0, (1, 10), (0.0, 0.5), 9.0, 0, None))
    part = LayerPart(layer="a", unit_facts=UNIT_FACTS, unit_table=WINNERS, units=(drawn,))
    assert [unit.unit for unit in add_undrawn(part, layer, ABOUT, NAMES).units] == [0, 1, 2]
    assert add_undrawn(part, layer, ABOUT, NAMES).units[1] is drawn
