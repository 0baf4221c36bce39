import numpy as np
import pytest

from pipeline.figures.drawing.scales import around, up_to


@pytest.mark.parametrize(
    ("values", "end"),
    [([0.3, 4.9], 5), ([[3, np.nan], [12, 8]], 20), ([50], 50), ([50.1], 100), ([104], 100), ([np.nan], 5)],
)
def test_an_axis_from_zero_ends_above_all_that_is_drawn(values, end):
    assert up_to(values) == end


@pytest.mark.parametrize(
    ("values", "ends"),
    [([47, 56], (40, 60)), ([38, 52], (30, 70)), ([50], (40, 60)), ([60], (40, 60)), ([2, np.nan], (0, 100))],
)
def test_chance_lies_in_the_middle_of_an_axis_that_shows_all(values, ends):
    assert around(values, 50) == ends
