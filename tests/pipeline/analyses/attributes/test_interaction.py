"""Against scikit-learn's fit of images, one by one."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from pipeline.analyses.attributes.binning import Bins
from pipeline.analyses.attributes.effects import Images
from pipeline.analyses.attributes.interaction import interaction

RNG = np.random.default_rng(0)
COUNT = 2000
FIRST, SECOND = RNG.integers(0, 3, COUNT), RNG.integers(-1, 4, COUNT)


def bins_of(place):
    none = np.full(place.max() + 1, np.nan)
    return Bins(place, none, none)


def found_of(right):
    images = Images(np.zeros(COUNT, int), right, np.ones(COUNT), 0)
    return interaction(bins_of(FIRST), bins_of(SECOND), ("a", "b"), images)


@pytest.mark.parametrize("together", [0.0, 0.4])
def test_the_likelihood_ratio_is_that_of_two_fits(together):
    share = 0.9 - 0.15 * FIRST - together * ((FIRST == 1) & (SECOND == 2))
    right = RNG.random(COUNT) < share
    found, known = found_of(right), SECOND >= 0
    one_hot = np.hstack((np.eye(3)[FIRST[known]], np.eye(4)[SECOND[known]]))
    products = (np.eye(3)[FIRST[known]][:, :, None] * np.eye(4)[SECOND[known]][:, None]).reshape(
        len(one_hot), -1
    )
    losses = []
    for design in (one_hot, products):
        model = LogisticRegression(C=1e8, tol=1e-10, max_iter=5000).fit(design, right[known])
        losses.append(log_loss(right[known], model.predict_proba(design)[:, 1], normalize=False))
    assert found.ratio == pytest.approx(2 * (losses[0] - losses[1]), abs=0.02)
    assert found.freedom == 6
    assert found.chance == pytest.approx(stats.chi2.sf(found.ratio, 6))
    assert (found.chance < 0.001) == bool(together)
    assert found.images.sum() == known.sum() and found.right.sum() == right[known].sum()


def test_cells_without_a_mistake_have_a_limit_and_all_right_has_no_test():
    right = (FIRST > 0) | (RNG.random(COUNT) < 0.5)
    found = found_of(right)
    assert np.isfinite(found.ratio) and found.freedom == 6 and found.chance > 0.01
    found = found_of(np.ones(COUNT, bool))
    assert (found.ratio, found.freedom) == (0, 0) and np.isnan(found.chance)
