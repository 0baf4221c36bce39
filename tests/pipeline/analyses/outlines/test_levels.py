import numpy as np
import pytest

from pipeline.analyses.outlines.levels import Tail, levels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("outputs", [1, 7, 199, 200, 201, 1000, 3333])
@pytest.mark.parametrize("ties", [False, True])
def test_level_is_the_quantile_of_all_outputs_in_whatever_parts_they_come(outputs, ties):
    values = RNG.standard_normal((3, outputs)).astype(np.float32)
    values = np.maximum(values.round(), 0) if ties else values
    tail = Tail(3, outputs)
    for part in np.array_split(values, 4, axis=1):
        tail.add(part)
    expected = np.quantile(values, 0.995, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(tail.level(), expected)
    assert ((values > tail.level()[:, None]).sum(1) <= 0.005 * outputs).all()


def test_merged_tails_know_what_each_has_seen():
    values = RNG.standard_normal((2, 900)).astype(np.float32)
    parts = [Tail(2, 900) for _ in range(3)]
    for tail, part in zip(parts, np.array_split(values, 3, axis=1), strict=True):
        tail.add(part)
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    np.testing.assert_array_equal(parts[0].level(), np.quantile(values, 0.995, axis=1, method="inverted_cdf"))


def test_fewer_outputs_than_were_expected_have_their_own_quantile():
    values = RNG.standard_normal((2, 450)).astype(np.float32)
    tail = Tail(2, 5000)
    tail.add(values)
    np.testing.assert_array_equal(tail.level(), np.quantile(values, 0.995, axis=1, method="inverted_cdf"))


def test_a_unit_that_is_nearly_always_silent_is_cut_at_half_of_its_maximum():
    level, half = levels(np.float32([2, 0, -1, 0]), np.float32([9, 5, 3, -np.inf]))
    assert level.tolist() == [2, 2.5, 1.5, 0]
    assert half.tolist() == [False, True, True, False]
