import numpy as np

from pipeline.analyses.projections.cuts import Cut, likeness
from pipeline.analyses.projections.units import Place, assembled


def some(seed, shape=(5, 6, 1)):
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32) * 1e-5
    return Cut(values, np.ones(shape[:2], bool))


def test_places_are_scaled_and_compared():
    places = {0: Place({"r": some(0)}, {"r": some(1)}, 7), 2: Place({"r": some(2)}, {"r": some(3)}, -1)}
    places[3] = Place({"r": some(4, (3, 6, 1))}, {"r": some(5, (3, 6, 1))}, 4)
    found = assembled(np.array([9, 8, 5, 6, -1]), places, ["r"], (6, 6, 1), placed=True)
    assert found.image_id.tolist() == [9, -1, 5, 6, -1]
    assert found.extent.tolist() == [[5, 6], [0, 0], [5, 6], [3, 6], [0, 0]]
    assert found.other.tolist() == [7, -1, -1, 4, -1]
    for place, one in places.items():
        values = one.own["r"].values
        assert found.largest["r"][place] == np.abs(values).max()
        height, width = found.extent[place]
        shown = found.maps["r"][place, :height, :width].astype(np.float32)
        # Signals are far too small for float16 as they are.
        np.testing.assert_allclose(
            shown * found.largest["r"][place], values, atol=1e-3 * np.abs(values).max()
        )
        assert not found.maps["r"][place, height:].any()
    assert found.alike["r"][0] == np.float32(likeness(some(0), some(1)))
    # One of no other unit, empty ones.
    assert np.isnan(found.alike["r"][[1, 2, 4]]).all()
    assert np.isnan(found.across["r"][[0, 1, 3, 4]]).all()
    assert found.across["r"][2] == np.float32(likeness(some(2), some(4, (3, 6, 1))))


def test_next_place_is_compared():
    places = {place: Place({"r": some(place)}, {"r": some(9)}, 1) for place in range(3)}
    found = assembled(np.arange(3), places, ["r"], (6, 6, 1), placed=True)
    expected = [likeness(some(0), some(1)), likeness(some(1), some(2)), np.nan]
    np.testing.assert_array_equal(found.across["r"], np.float32(expected))


def test_where_no_place_is_known_images_are_not_compared():
    places = {place: Place({"r": some(place)}, {"r": some(9)}, 1) for place in range(3)}
    found = assembled(np.arange(3), places, ["r"], (6, 6, 1), placed=False)
    assert np.isnan(found.across["r"]).all() and np.isfinite(found.alike["r"]).all()


def test_other_unit_is_shown_in_the_first_place_only():
    places = {0: Place({"r": some(0)}, {"r": some(1)}, 7), 1: Place({"r": some(2)}, {"r": some(3)}, 7)}
    shown = assembled(np.arange(2), places, ["r"], (6, 6, 1), placed=True).others["r"][:5].astype(np.float32)
    expected = some(1).values / np.abs(some(1).values).max()
    np.testing.assert_allclose(shown, expected, atol=1e-3)


def test_signal_that_came_to_nothing_is_zero():
    nothing = Cut(np.zeros((5, 6, 1), np.float32), np.ones((5, 6), bool))
    found = assembled(
        np.array([3]), {0: Place({"r": nothing}, {"r": some(1)}, 7)}, ["r"], (6, 6, 1), placed=True
    )
    assert found.largest["r"][0] == 0 and not found.maps["r"].any() and np.isnan(found.alike["r"][0])
