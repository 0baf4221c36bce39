"""Counts of a ranking, on rankings written by hand."""

import numpy as np

from pipeline.topk.counting import Totals


def test_layers_add_up():
    totals = Totals(k=2)
    value = np.array([[3.0, 2.0, 2.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    image_id = np.array([[4, 1, 7], [1, 2, 3], [0, 1, 2]])
    totals.add(value, image_id, np.array([3, 1, 0]), overlap=0.5)
    totals.add(value[:1], image_id[:1] + 10, np.array([3]), overlap=1.0)
    # Ranks 1 and 2 of the first unit tie at 2; zeros are shown for no unit, so that they cannot tie.
    assert totals.numbers() == {
        "k": 2, "units": 4, "units_never_active": 1, "units_tied": 2, "winners": 4, "overlap": 0.75
    }  # fmt: skip


def test_a_layer_without_an_active_unit_has_no_overlap():
    totals = Totals(k=1)
    totals.add(np.zeros((2, 1)), np.zeros((2, 1), int), np.zeros(2, int), overlap=float("nan"))
    assert totals.numbers() == {"k": 1, "units": 2, "units_never_active": 2, "winners": 0}
