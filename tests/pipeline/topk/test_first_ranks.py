"""A ranking beside an earlier one."""

import numpy as np

from pipeline.topk.first_ranks import first_ranks, layer_ranking
from pipeline.topk.streaming import TopK


def ranking(values, k, outputs=None):
    values = np.array(values, np.float32)[:, None]
    positions = np.zeros((*values.shape, 2), np.uint16)
    return TopK(k).add(values, np.arange(len(values)), positions, outputs)


def test_places_are_those_of_each_unit():
    first, second = np.array([[4, 9, 1], [9, 4, 2]]), np.array([[9, 1, 4, 7], [7, 2, 9, 1]])
    assert first_ranks(first, second).tolist() == [[1, 2, 0, 3], [3, 2, 0, 3]]


def test_values_are_the_second_ones_and_ranks_the_first():
    half, single = ranking([0, 3, 2, 1], 2), ranking([5, 3, 2, 1], 2)
    found = layer_ranking(half, single)
    assert found.image_id.tolist() == [[0, 1]] and found.value.tolist() == [[5, 3]]
    assert found.first_rank.tolist() == [[2, 0]]
    # Image 0 is active in float32 alone.
    assert found.count_active.tolist() == [4]
    assert found.input is None and found.overlap(2) == 0.5


def test_outputs_are_values_where_inputs_rank():
    outputs = np.array([[6], [6], [1]], np.float32)
    found = layer_ranking(*[ranking([7, 9, 1], 3, outputs)] * 2)
    assert found.input.tolist() == [[9, 7, 1]] and found.value.tolist() == [[6, 6, 1]]
    assert found.count_at_maximum.tolist() == [2]
