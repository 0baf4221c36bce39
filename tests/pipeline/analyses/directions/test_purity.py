import numpy as np
import pytest
from scipy.stats import entropy

from pipeline.analyses.directions.purity import class_purity, compare

RNG = np.random.default_rng(0)


def test_purity_is_one_less_the_entropy_over_the_logarithm_of_the_classes():
    label = RNG.integers(0, 5, (40, 9))
    expected = [1 - entropy(np.bincount(row), base=5) for row in label]
    np.testing.assert_allclose(class_purity(label, 5), expected, rtol=1e-12)
    np.testing.assert_array_equal(class_purity(np.full((1, 9), 3), 5), [1])
    # As many of each class: as impure as can be.
    np.testing.assert_allclose(class_purity(np.arange(5)[None], 5), [0], atol=1e-12)


def test_without_one_of_its_images_or_a_label_there_is_no_purity():
    found = class_purity(np.array([[1, 1, -1], [1, 1, 1]]), 2)
    np.testing.assert_array_equal(np.isnan(found), [True, False])
    assert np.isnan(class_purity(np.full((2, 3), -1), 2)).all()


def test_the_effect_is_that_of_all_pairs():
    units, directions = RNG.integers(0, 5, 30) / 4.0, RNG.integers(0, 4, 20) / 4.0
    found = compare(np.append(units, np.nan), directions, seed=0)
    pairs = np.sign(units[:, None] - directions)
    assert found.effect == pytest.approx(pairs.mean())
    assert (found.units, found.directions) == (30, 20)
    assert found.units_mean == pytest.approx(units.mean())


def test_the_p_value_is_small_where_they_differ_and_even_where_they_do_not():
    one = RNG.normal(size=60)
    assert compare(one + 2, RNG.normal(size=60), seed=0).p_value < 1e-3
    p_values = [compare(RNG.normal(size=12), RNG.normal(size=12), seed=seed).p_value for seed in range(40)]
    assert 0.3 < np.mean(p_values) < 0.7
    # Four of eight: all 70 ways to deal them out are tried, and the two ends are these.
    assert compare(np.arange(4.0), np.arange(4.0) + 9, seed=0).p_value == pytest.approx(2 / 70)


def test_one_of_either_is_no_comparison():
    assert compare(np.array([1.0, np.nan]), np.ones(5), seed=0) is None
