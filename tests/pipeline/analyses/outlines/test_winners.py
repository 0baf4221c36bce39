import numpy as np

from pipeline.analyses.outlines.winners import WinnerMaps, scales

RNG = np.random.default_rng(0)
ONE = np.ones(1, np.float32)


def test_every_place_gets_its_unit_s_map_on_its_image_in_whatever_order_images_come():
    image_id = np.array([[4, 2, -1], [2, 9, 4]])
    maps = np.zeros((2, 3, 2, 3), np.float16)
    values = RNG.standard_normal((10, 2, 2, 3)).astype(np.float32)
    winners = WinnerMaps(image_id, maps, np.ones(2, np.float32))
    for ids in ([9, 1], [2, 3, 4]):
        winners.add(ids, values[ids])
    assert winners.found.tolist() == [[True, True, False], [True, True, True]]
    for unit in range(2):
        for place, image in enumerate(image_id[unit]):
            expected = values[image, unit] if image >= 0 else 0
            np.testing.assert_array_equal(maps[unit, place], np.float16(expected))
    expected = [values[image_id[unit][image_id[unit] >= 0], unit].max() for unit in range(2)]
    assert winners.largest.tolist() == expected


def test_images_may_be_taken_in_apart():
    image_id, ones = np.array([[4, 2, 7], [2, 9, 4]]), np.ones(2, np.float32)
    values = RNG.standard_normal((10, 2, 2, 3)).astype(np.float32)
    whole, maps = (np.zeros((2, 3, 2, 3), np.float16) for _ in range(2))
    expected = WinnerMaps(image_id, whole, ones)
    expected.add([2, 4, 9], values[[2, 4, 9]])
    found = WinnerMaps(image_id, maps, ones)
    for ids in ([2], [4, 9]):
        other = WinnerMaps(image_id, maps, ones)
        other.add(ids, values[ids])
        found.merge(other.found, other.largest)
    np.testing.assert_array_equal(maps, whole)
    np.testing.assert_array_equal(found.found, expected.found)
    np.testing.assert_array_equal(found.largest, expected.largest)


def test_what_float16_cannot_hold_becomes_its_largest():
    maps = np.zeros((1, 1, 1, 2), np.float16)
    winners = WinnerMaps(np.array([[0]]), maps, ONE)
    winners.add([0], np.array([[[[1e6, -1e6]]]], np.float32))
    assert maps.ravel().tolist() == [65504, -65504]
    assert winners.largest.tolist() == [1e6]


def test_an_image_that_did_not_come_leaves_its_place_empty():
    winners = WinnerMaps(np.array([[3]]), np.zeros((1, 1, 1, 1), np.float16), ONE)
    winners.add([1], np.ones((1, 1, 1, 1), np.float32))
    assert not winners.found.any()
    assert winners.largest.tolist() == [-np.inf]


def test_units_beyond_float16_are_brought_into_it_and_others_left_as_they_are():
    maxima = np.float32([3, 1e-13, 1e9, -np.inf, 0, 0.07, 20000])
    found = scales(maxima)
    assert found[[0, 3, 4, 5, 6]].tolist() == [1] * 5
    for one in (1, 2):
        assert 1 <= maxima[one] / found[one] < 2
        assert np.log2(found[one]) % 1 == 0


def test_tiny_maps_keep_three_digits():
    values = (RNG.random((1, 1, 4, 4)) * 1e-13).astype(np.float32)
    maps, scale = np.zeros((1, 1, 4, 4), np.float16), scales(values.max((1, 2, 3)))
    WinnerMaps(np.array([[0]]), maps, scale).add([0], values)
    np.testing.assert_allclose(maps.astype(np.float32) * scale, values, rtol=1e-3, atol=1e-19)
