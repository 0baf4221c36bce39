"""Counted by hand, and against SciPy and the calibration of all predictions."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyses.attributes.binning import Bins
from pipeline.analyses.attributes.effects import CONFIDENCE_BINS, Images, chance, number_bins
from pipeline.analyses.predictions.predictions import Predictions, reliability

RNG = np.random.default_rng(0)
COUNT = 400
PLACE = RNG.integers(-1, 3, COUNT)
LABEL = RNG.integers(0, 6, COUNT)
CONFIDENCE = RNG.random(COUNT)
RIGHT = RNG.random(COUNT) < CONFIDENCE
IMAGES = Images(LABEL, RIGHT, CONFIDENCE, 0)


def bins_of(place, *, by_class=False):
    none = np.full(place.max() + 1, np.nan)
    return Bins(place, none, none, by_class=by_class)


def test_accuracy_has_wilsons_interval_and_confidence_that_of_its_mean():
    found = number_bins(bins_of(PLACE), IMAGES)
    for one in range(3):
        inside = one == PLACE
        assert (found.images[one], found.right[one]) == (inside.sum(), RIGHT[inside].sum())
        interval = stats.binomtest(int(RIGHT[inside].sum()), int(inside.sum())).proportion_ci(method="wilson")
        assert found.accuracy[one] == RIGHT[inside].mean()
        assert (found.accuracy_low[one], found.accuracy_high[one]) == pytest.approx(interval)
        mean, error = CONFIDENCE[inside].mean(), stats.sem(CONFIDENCE[inside])
        ends = stats.norm.interval(0.95, mean, error)
        assert (found.confidence_low[one], found.confidence_high[one]) == pytest.approx(ends)
    assert not found.by_class


def test_the_error_of_calibration_is_that_of_the_bins_images():
    found = number_bins(bins_of(PLACE), IMAGES)
    rank = (~RIGHT).astype(np.int32)
    for one in range(3):
        inside = one == PLACE
        given = Predictions(LABEL, CONFIDENCE, LABEL, rank, CONFIDENCE, LABEL[:, None], CONFIDENCE[:, None])
        error = reliability(given.rows(inside), CONFIDENCE_BINS).error
        assert found.calibration_error[one] == pytest.approx(error)


def test_of_classes_the_mean_of_their_shares_counts():
    place = np.array([0, 0, 0, 1, 1, 1])[LABEL]
    found = number_bins(bins_of(place, by_class=True), IMAGES)
    shares = [RIGHT[one == LABEL].mean() for one in range(6)]
    np.testing.assert_allclose(found.accuracy, [np.mean(shares[:3]), np.mean(shares[3:])])
    assert found.classes.tolist() == [3, 3] and found.by_class
    assert (found.accuracy_low <= found.accuracy).all() and (found.accuracy <= found.accuracy_high).all()
    ends = found.accuracy_low[0], found.accuracy_high[0]
    assert ends == pytest.approx((min(shares[:3]), max(shares[:3])))


def test_chance_of_images_and_of_classes():
    worse = Images(LABEL, PLACE != 0, CONFIDENCE, 0)
    assert chance(bins_of(PLACE), worse, repeats=500) == pytest.approx(1 / 501)
    assert chance(bins_of(PLACE), IMAGES, repeats=500) > 0.01
    assert np.isnan(chance(bins_of(np.zeros(COUNT, int)), IMAGES, repeats=500))
    # Three of six classes are all wrong: of 20 ways to choose them, it and its mirror image do as much.
    place = np.array([0, 0, 0, 1, 1, 1])[LABEL]
    by_class = Images(LABEL, place == 1, CONFIDENCE, 0)
    assert chance(bins_of(place, by_class=True), by_class, repeats=5000) == pytest.approx(0.1, abs=0.02)
