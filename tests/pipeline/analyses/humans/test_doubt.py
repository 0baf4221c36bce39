import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from pipeline.analyses.humans.doubt import (
    cross_entropy,
    entropy,
    equal_bins,
    log_probabilities,
    network_entropy,
)

COUNTS = np.array([[10, 0, 0], [5, 5, 0], [1, 2, 7]])
LOGITS = np.array([[3.0, 0.0, -1.0, 0.5], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 4.0, -2.0]])


def test_entropies_are_scipy_s():
    np.testing.assert_allclose(entropy(COUNTS), scipy_entropy(COUNTS, axis=1), atol=1e-12)
    told = log_probabilities(LOGITS)
    np.testing.assert_allclose(network_entropy(told), scipy_entropy(np.exp(told), axis=1), atol=1e-12)


def test_cross_entropy_is_entropy_and_divergence():
    told, output = log_probabilities(LOGITS), np.array([2, 0, 1])
    shares = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    divergence = scipy_entropy(shares, np.exp(told)[:, output] * 1.0, axis=1)
    # SciPy scales the second to sum 1.
    lost = -np.log(np.exp(told)[:, output].sum(axis=1))
    np.testing.assert_allclose(
        cross_entropy(COUNTS, told, output), entropy(COUNTS) + divergence + lost, atol=1e-12
    )


def test_a_chosen_class_without_output_leaves_the_image_out():
    found = cross_entropy(COUNTS, log_probabilities(LOGITS), np.array([0, -1, 1]))
    assert np.isnan(found).tolist() == [False, True, True]


def test_bins_keep_equal_values_together():
    bins = equal_bins(np.array([0.0] * 50 + list(range(1, 51))), 4)
    assert len(set(bins[:50].tolist())) == 1
    assert np.unique(bins).tolist() == list(range(bins.max() + 1))
    assert (np.diff(bins) >= 0).all()
    assert equal_bins(np.zeros(5), 3).tolist() == [0] * 5


def test_bins_are_of_equal_count_where_values_differ():
    assert np.bincount(equal_bins(np.random.default_rng(0).random(100), 4)).tolist() == pytest.approx(
        [25] * 4, abs=1
    )
