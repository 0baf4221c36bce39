import numpy as np
import pytest

from pipeline.analyses.correspondence.matching import Matches, Yardsticks
from pipeline.analyses.correspondence.summary import Summary
from pipeline.numerics.bootstrap import bootstrap_groups

IMAGES, EACH = 6, 5
RNG = np.random.default_rng(0)
SUMMARY = Summary(IMAGES, repeats=300, seed=2)


def matches(seed):
    rng = np.random.default_rng(seed)
    count = IMAGES * EACH
    error = rng.uniform(0, 10, count).astype(np.float32)
    return Matches(
        error, (error < 4).astype(np.float32), np.zeros((count, 2), np.float32),
        np.ones(count, np.int32), rng.integers(0, 2, count).astype(bool),
    )  # fmt: skip


def by_image(values):
    return list(values.astype(float).reshape(IMAGES, EACH))


def test_shares_and_medians_have_intervals_over_images():
    found = matches(1)
    summed = SUMMARY.matched(found)
    for statistic, estimate, values in (
        (np.mean, summed.pck, found.hit),
        (np.median, summed.median, found.error),
    ):
        assert estimate[0, 0] == pytest.approx(statistic(values))
        ends = bootstrap_groups(by_image(values), statistic, repeats=300, seed=2)
        assert estimate[0, 1:] == pytest.approx(ends)
        assert estimate[1, 0] == pytest.approx(statistic(values[found.interior]))
        assert estimate[0, 1] < estimate[0, 0] < estimate[0, 2]


def test_without_interior_points_nothing_is_said_of_them():
    found = matches(1)
    found.interior[:] = False
    summed = SUMMARY.matched(found)
    assert np.isnan(summed.pck[1]).all() and not np.isnan(summed.pck[0]).any()


def test_one_image_has_no_interval():
    estimate = Summary(1, 100, 0).estimate(lambda values: float(values.mean()), np.arange(4.0))
    assert estimate[0] == 1.5 and np.isnan(estimate[1:]).all()


def test_differences_are_of_the_same_points():
    own, random, plain = matches(1), [matches(2), matches(3)], [matches(4)]
    yardsticks = Yardsticks(*(RNG.uniform(0, 1, IMAGES * EACH).astype(np.float32) for _ in range(4)))
    held = SUMMARY.held(own, yardsticks, random, plain, np.zeros(IMAGES * EACH))
    drawn = np.stack([one.hit for one in random])
    assert held.random_hit.shape == (2, IMAGES * EACH)
    assert held.random_pck[0] == pytest.approx(drawn.mean())
    assert held.random_median[0] == pytest.approx(np.median([one.error for one in random]))
    assert held.over_random[0] == pytest.approx(own.hit.mean() - drawn.mean())
    assert held.over_patches[0, 0] == pytest.approx(own.hit.mean() - plain[0].hit.mean())
    assert held.over_staying[0] == pytest.approx(own.hit.mean())
    closer = np.median(yardsticks.field_error) - np.median(own.error)
    assert held.over_field[0] == pytest.approx(closer, rel=1e-5)


def test_how_networks_differ_is_in_the_interval_beside_random_weights():
    own, none, all_ = matches(1), matches(2), matches(3)
    none.hit[:], all_.hit[:] = 0, 1
    yardsticks = Yardsticks(own.error, own.error, own.error, own.hit)
    held = SUMMARY.held(own, yardsticks, [none, all_], [], own.hit)
    assert held.random_pck == pytest.approx([0.5, 0, 1])
    assert held.over_random[1] < own.hit.mean() - 0.8 and held.over_random[2] > own.hit.mean() - 0.2


def test_against_itself_nothing_differs():
    own = matches(1)
    yardsticks = Yardsticks(own.error, own.error, own.error, own.hit)
    held = SUMMARY.held(own, yardsticks, [own], [own], own.hit)
    for difference in (held.over_random, held.over_staying, held.over_patches[0], held.over_field):
        np.testing.assert_array_equal(difference, 0)


def test_without_patches_there_is_nothing_to_hold_against():
    own = matches(1)
    held = SUMMARY.held(own, Yardsticks(own.error, own.error, own.error, own.hit), [own], [], own.hit)
    assert held.over_patches.shape == (0, 3)
