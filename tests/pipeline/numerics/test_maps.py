import numpy as np
import pytest

from pipeline.numerics.maps import localisation, sparsity


def test_sparsity_is_the_share_of_zeros():
    maps = np.array([[[0, 1], [0, 0]], [[1, -2], [3, 4]], [[0, 0], [0, 0]]], np.float32)
    assert sparsity(maps).tolist() == [0.75, 0, 1]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (7, 7), (10, 10), (112, 112)])
def test_an_even_map_has_a_tenth_of_its_mass_in_a_tenth_of_its_positions(size):
    np.testing.assert_allclose(localisation(np.full((2, *size), 3, np.float32)), 0.1, rtol=1e-6)


def test_all_in_one_of_ten_positions_or_more_is_localised():
    maps = np.zeros((2, 5, 4), np.float32)
    maps[0, 2, 2] = 5
    maps[1, :, :] = np.eye(5, 4)
    # Two of twenty positions are a tenth.
    assert localisation(maps).tolist() == [1, 0.5]


def test_of_a_position_that_counts_in_part_a_part_is_taken():
    maps = np.zeros((3, 5), np.float32)
    maps[0, :3] = (8, 4, 4)
    assert localisation(maps) == pytest.approx((8 + 0.5 * 4) / 16)


def test_what_is_negative_has_no_mass_and_nothing_positive_no_localisation():
    maps = np.full((3, 10, 10), -1, np.float32)
    maps[1] = 0
    maps[2, 3, 3] = 0.5
    np.testing.assert_array_equal(localisation(maps), [np.nan, np.nan, 1])
