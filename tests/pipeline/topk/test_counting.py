"""Counts of a ranking, on rankings written by hand."""

from dataclasses import replace

import numpy as np

from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.topk import RankedLayer
from pipeline.numerics.geometry import whole
from pipeline.topk.counting import Totals


def ranked(value, image_id, count_active, **more):
    shape = np.shape(value)
    return RankedLayer(
        LayerGeometry((1, 1), whole((8, 8), "global")), np.array(value, np.float32), np.array(image_id),
        np.zeros((*shape, 2), np.uint16), np.zeros((*shape, 4), np.float32), np.array(count_active),
        np.ones(shape[0], np.int64), np.zeros(shape, bool), **more,
    )  # fmt: skip


LAYER = ranked(
    [[3, 2, 2], [1, 0, 0], [0, 0, 0]], [[4, 1, 7], [1, 2, 3], [0, 1, 2]], [3, 1, 0], overlap=0.5, lost=0.1
)


def test_layers_add_up():
    totals = Totals(k=2)
    totals.add(LAYER)
    totals.add(ranked([[3, 2, 2]], [[14, 11, 17]], [3], overlap=1.0, lost=0.5))
    # Ranks 1 and 2 of the first unit tie at 2; zeros are shown for no unit, so that they cannot tie.
    found = totals.numbers()
    assert found.pop("share_lost") == (3 * 0.1 + 0.5) / 4
    assert found == {
        "k": 2, "units": 4, "units_never_active": 1, "units_tied": 2, "winners": 4, "overlap": 0.75
    }  # fmt: skip


def test_inputs_tell_outputs_apart_that_tie():
    totals = Totals(k=2)
    totals.add(replace(LAYER, input=np.array([[9, 8, 7]] * 3, np.float32)))
    assert totals.numbers()["units_tied"] == 0


def test_a_layer_without_an_active_unit_has_no_overlap():
    totals = Totals(k=1)
    totals.add(ranked([[0.0], [0.0]], [[0], [0]], [0, 0], overlap=float("nan")))
    assert totals.numbers() == {"k": 1, "units": 2, "units_never_active": 2, "winners": 0}
