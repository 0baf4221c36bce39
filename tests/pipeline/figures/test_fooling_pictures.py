import numpy as np
import pytest

from pipeline.figures.fooling_pictures import SIDE, amplification, enlarged, said


@pytest.mark.parametrize(("largest", "factor"), [(0, 1), (1, 127), (2, 63), (127, 1), (200, 1)])
def test_changes_are_amplified_as_far_as_they_fit(largest, factor):
    picture = np.full((4, 4, 3), 20, np.uint8)
    changed = picture.copy()
    changed[1, 2, 0] += largest
    assert amplification(picture, changed) == factor


@pytest.mark.parametrize(("side", "channels", "shown"), [(8, 3, SIDE), (60, 1, 120), (224, 3, 224)])
def test_small_pictures_are_enlarged_by_whole_pixels_and_grey_ones_get_colours(side, channels, shown):
    picture = np.random.default_rng(0).integers(0, 256, (side, side, channels)).astype(np.uint8)
    found = enlarged(picture)
    assert found.shape == (shown, shown, 3)
    times = shown // side
    np.testing.assert_array_equal(found[::times, ::times], np.broadcast_to(picture, (side, side, 3)))


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.98651, "a cat 98.7 %"),
        (0.9994, "a cat 99.9 %"),
        (0.99996, "a cat > 99.9 %"),
        (1.0, "a cat 100.0 %"),
    ],
)
def test_what_the_network_is_not_wholly_sure_of_is_not_rounded_to_all(confidence, expected):
    assert said("a cat", confidence) == expected
