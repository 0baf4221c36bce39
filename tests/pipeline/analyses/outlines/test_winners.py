import numpy as np

from pipeline.analyses.outlines.winners import WinnerMaps

RNG = np.random.default_rng(0)


def test_every_place_gets_its_unit_s_map_on_its_image_in_whatever_order_images_come():
    image_id = np.array([[4, 2, -1], [2, 9, 4]])
    maps = np.zeros((2, 3, 2, 3), np.float16)
    values = RNG.standard_normal((10, 2, 2, 3)).astype(np.float32)
    winners = WinnerMaps(image_id, maps)
    for ids in ([9, 1], [2, 3, 4]):
        winners.add(ids, values[ids])
    assert winners.found.tolist() == [[True, True, False], [True, True, True]]
    for unit in range(2):
        for place, image in enumerate(image_id[unit]):
            expected = values[image, unit] if image >= 0 else 0
            np.testing.assert_array_equal(maps[unit, place], np.float16(expected))
    expected = [values[image_id[unit][image_id[unit] >= 0], unit].max() for unit in range(2)]
    assert winners.largest.tolist() == expected


def test_what_float16_cannot_hold_becomes_its_largest():
    maps = np.zeros((1, 1, 1, 2), np.float16)
    winners = WinnerMaps(np.array([[0]]), maps)
    winners.add([0], np.array([[[[1e6, -1e6]]]], np.float32))
    assert maps.ravel().tolist() == [65504, -65504]
    assert winners.largest.tolist() == [1e6]


def test_an_image_that_did_not_come_leaves_its_place_empty():
    winners = WinnerMaps(np.array([[3]]), np.zeros((1, 1, 1, 1), np.float16))
    winners.add([1], np.ones((1, 1, 1, 1), np.float32))
    assert not winners.found.any()
    assert winners.largest.tolist() == [-np.inf]
