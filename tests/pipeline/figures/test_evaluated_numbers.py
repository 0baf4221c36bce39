import numpy as np
import pytest

from pipeline.figures.evaluated_numbers import ends_of_classes, evaluated_numbers
from pipeline.formats.predictions import Calibration, Confusion
from pipeline.numerics.intervals import wilson
from tests.small.pages import title_of

NAMES = ("cat", "dog", "cow", "car")
BINS = Calibration(
    confidence=np.array([np.nan, 0.6, 0.9]), accuracy=np.array([np.nan, 0.5, 1.0]),
    count=np.array([0, 10, 30]), low=np.array([0.0, 0.4, 0.8]), high=np.array([0.4, 0.8, 1.0]),
)  # fmt: skip


def _numbers(pairs):
    label, predicted, images = np.array(pairs).T
    return evaluated_numbers(NAMES, Confusion(label, predicted, images), BINS)


def test_a_pair_is_counted_in_both_directions_and_against_every_other():
    found = _numbers([(0, 0, 80), (0, 1, 20), (1, 0, 10), (1, 1, 90), (2, 2, 45), (2, 0, 5)])
    assert (found["pair_first"], found["pair_second"]) == ("cat", "dog")
    assert (found["pair_mistaken"], found["pair_of"]) == (30, 200)
    low, high = wilson([30, 5], [200, 150])
    assert found["pair_ends"] == (low[0], high[0])
    assert found["pair_rest"] == high[1]


def test_an_output_that_no_image_is_labelled_with_counts_as_the_other_class():
    found = _numbers([(0, 0, 8), (0, 3, 2)])
    assert (found["pair_first"], found["pair_second"], found["pair_of"]) == ("cat", "car", 10)
    assert found["pair_rest"] == 0.0


def test_of_equal_shares_the_one_of_more_images_comes_first():
    found = _numbers([(0, 0, 9), (0, 1, 1), (1, 1, 10), (2, 2, 90), (2, 3, 10), (3, 3, 100)])
    assert (found["pair_first"], found["pair_second"]) == ("cow", "car")


def test_nothing_is_said_of_pairs_where_nothing_is_mistaken():
    found = _numbers([(0, 0, 8), (1, 1, 2)])
    assert not [name for name in found if name.startswith("pair")]
    assert (found["evaluated_classes"], found["largest_share"]) == (2, 0.8)


def test_confidence_is_the_mean_over_images_and_not_over_bins():
    assert _numbers([(0, 0, 40)])["mean_confidence"] == pytest.approx((0.6 * 10 + 0.9 * 30) / 40)


@pytest.mark.parametrize(
    ("right", "labelled", "title"),
    [
        ((60, 95, 90), (100, 100, 100), "Right from 60.0 % (cat) to 95.0 % (dog) of the time"),
        ((60, 95, 60, 95), (100,) * 4, "Right from 60.0 % (2 classes) to 95.0 % (2 classes) of the time"),
        # Of one image that is wrong nothing is known; of 100 of which 60 are right it is.
        ((0, 95, 60), (1, 100, 100), "1 of 3 classes is clearly harder than the mean"),
        ((8, 10, 9), (10, 10, 10), "No class is clearly harder than the mean, 90.0 % right"),
        ((7, 7), (10, 10), "Each class is right 70.0 % of the time"),
        ((7,), (10,), "cat: 70.0 % right (39.7–89.2 %)"),
    ],
)
def test_the_title_of_the_classes_claims_what_chance_does_not_explain(right, labelled, title):
    numbers = ends_of_classes(NAMES, np.array(right), np.array(labelled))
    assert title_of("summary", "classes", {"classes_shown": len(right), **numbers}) == title
