import numpy as np
import pytest

from pipeline.figures.extremes import Bounded, clear_extremes, extremes


def test_the_layers_at_either_end_are_named():
    assert extremes({"relu": 0.3, "pool": 0.1, "head": 0.2}) == {
        "least": "pool", "least_value": 0.1, "most": "relu", "most_value": 0.3,
    }  # fmt: skip


@pytest.mark.parametrize("of_layer", [{}, {"relu": 0.3}, {"relu": 0.3, "pool": 0.301}])
def test_where_no_two_are_told_apart_none_is(of_layer):
    assert not extremes(of_layer)


def test_of_numbers_with_intervals_the_ends_are_named_where_these_do_not_meet():
    relu, pool = Bounded(2.0, 1.5, 2.5), Bounded(3.0, 2.6, 3.4)
    found = clear_extremes({"relu": relu, "pool": pool, "head": Bounded(9.0, np.nan, np.nan)})
    assert found == {"least": "relu", "least_value": 2.0, "most": "pool", "most_value": 3.0}
    assert not clear_extremes({"relu": relu, "pool": Bounded(2.6, 2.5, 3.0)})


@pytest.mark.parametrize("of_layer", [{}, {"relu": Bounded(1, 1, 1)}, {"relu": Bounded(1, np.nan, np.nan)}])
def test_of_one_layer_and_of_none_there_are_no_ends(of_layer):
    assert not clear_extremes(of_layer)
