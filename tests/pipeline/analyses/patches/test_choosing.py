"""What is drawn: units and ranks."""

import numpy as np
import pytest

from pipeline.analyses.patches.choosing import choose_ranks, choose_units
from pipeline.errors import UserError

LAYERS = ["conv1", "pool1", "conv2", "fc"]


@pytest.mark.parametrize("total", [4, 5, 7, 64, 1000])
def test_a_sample_takes_one_unit_of_each_run(total):
    units = choose_units(4, total, "conv1", 0)
    assert len(units) == 4
    for run, unit in enumerate(units):
        assert run * total // 4 <= unit < (run + 1) * total // 4
    assert np.array_equal(units, choose_units(4, total, "conv1", 0))


def test_seed_and_layer_change_the_sample():
    samples = {tuple(choose_units(8, 999, layer, seed)) for layer in LAYERS for seed in range(3)}
    assert len(samples) == 12


def test_all_units_where_there_are_no_more():
    assert choose_units(16, 10, "fc", 0).tolist() == list(range(10))


def test_units_by_number():
    assert choose_units((7, 2, 2), 8, "fc", 0).tolist() == [2, 7]
    with pytest.raises(UserError, match=r"no unit 8 in fc, which has 8 \(0 to 7\)"):
        choose_units((8,), 8, "fc", 0)


def test_ranks_pass_over_duplicates_and_stop_at_zero():
    value = np.array([[9, 8, 7, 6], [3, 0, 0, -1], [0, 0, 0, 0]], np.float32)
    duplicate = np.array([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
    assert choose_ranks(value, duplicate, 2).tolist() == [[0, 2], [0, -1], [-1, -1]]
    assert choose_ranks(value, duplicate, 5).tolist()[0] == [0, 2, 3, -1, -1]
