import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.comparison.shares import difference_of_means, difference_of_shares, mcnemar
from pipeline.numerics.intervals import wilson


def outcomes(both, lost, won, neither):
    """Of images that both, only the first, only the second, and neither has right."""
    first = [True] * both + [True] * lost + [False] * won + [False] * neither
    second = [True] * both + [False] * lost + [True] * won + [False] * neither
    return np.array(first), np.array(second)


@pytest.mark.parametrize(("lost", "won"), [(0, 1), (3, 9), (12, 12), (40, 11)])
def test_chance_is_that_of_the_exact_binomial_test(lost, won):
    assert mcnemar(lost, won) == pytest.approx(binomtest(lost, lost + won).pvalue)


def test_interval_of_uncorrelated_shares_puts_wilsons_together():
    """Without correlation the tenth method is that for independent shares, which is a sum of squares."""
    found = difference_of_shares(*outcomes(both=16, lost=4, won=16, neither=4))
    (low_1, low_2), (high_1, high_2) = wilson([20, 32], [40, 40])
    below, above = np.hypot(0.8 - low_2, high_1 - 0.5), np.hypot(high_2 - 0.8, 0.5 - low_1)
    assert (found.low, found.high) == pytest.approx((0.3 - below, 0.3 + above))


def test_swapped_runs_have_the_mirrored_interval():
    there = difference_of_shares(*outcomes(70, 4, 12, 14))
    back = difference_of_shares(*outcomes(70, 12, 4, 14))
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))
    assert back.chance == there.chance


def test_pairing_makes_the_interval_narrower_than_that_of_other_images():
    paired = difference_of_shares(*outcomes(80, 2, 8, 10))
    unpaired = difference_of_shares(*outcomes(74, 8, 14, 4))
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.high - paired.low < 0.75 * (unpaired.high - unpaired.low)


def test_agreement_on_every_image_is_no_certainty():
    found = difference_of_shares(*outcomes(30, 0, 0, 10))
    assert found.value == 0 and found.chance == 1
    assert found.low < -0.02 and found.high > 0.02 and found.is_noise


def test_interval_covers_the_difference_that_there_is():
    """In 95 of a hundred repetitions; three standard errors of a thousand are two hundredths."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        kind = rng.choice(4, 120, p=[0.7, 0.06, 0.12, 0.12])
        found = difference_of_shares((kind == 0) | (kind == 1), (kind == 0) | (kind == 2))
        held += found.low <= 0.06 <= found.high
    assert 0.93 <= held / 1000 <= 0.97


def test_noise_is_what_may_be_none():
    assert difference_of_shares(*outcomes(80, 5, 8, 7)).is_noise
    assert not difference_of_shares(*outcomes(70, 3, 20, 7)).is_noise


def test_means_are_compared_image_by_image():
    rng = np.random.default_rng(1)
    first = rng.normal(0, 10, 400)
    second = first + rng.normal(0.5, 1, 400)
    found = difference_of_means(first, second, seed=0)
    assert found.value == pytest.approx((second - first).mean())
    assert 0 < found.low < found.value < found.high < 0.8 and not found.is_noise
    assert difference_of_means(first, second, seed=0) == found
    assert difference_of_means(first, rng.permutation(first), seed=0).is_noise
