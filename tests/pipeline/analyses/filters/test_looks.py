"""How first filters look: planted colours and frequencies."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from pipeline.analyses.filters.looks import colourfulness, frequency, separation

GREY, RED_GREEN, RED = np.array([1, 1, 1]), np.array([1, -1, 0]), np.array([1, 0, 0])


def wave(down, across, side=11):
    y, x = np.mgrid[:side, :side]
    window = np.hanning(side + 2)[1:-1]
    return np.sin(2 * np.pi * (down * y + across * x)) * np.outer(window, window)


def filters(*parts):
    return np.stack([colour[:, None, None] * picture for colour, picture in parts])


def test_colourfulness_of_known_colours():
    weight = filters((GREY, wave(0.2, 0)), (RED_GREEN, wave(0.2, 0)), (RED, wave(0.2, 0)))
    assert colourfulness(weight).tolist() == pytest.approx([0, 1, 2 / 3])
    noise = np.random.default_rng(0).normal(size=(4000, 3, 3, 3))
    assert colourfulness(noise).mean() == pytest.approx(2 / 3, abs=0.01)
    assert np.isnan(colourfulness(np.zeros((1, 3, 3, 3)))).all()


def test_dominant_frequency_of_known_waves():
    weight = filters((GREY, wave(0.25, 0)), (RED, wave(0, 0.25)), (GREY, wave(0.3, 0.2)))
    assert frequency(weight) == pytest.approx([0.25, 0.25, np.hypot(0.3, 0.2)], abs=1 / 64)
    assert frequency(np.ones((2, 1, 3, 3))).tolist() == [0, 0]
    assert np.isnan(frequency(np.zeros((1, 3, 5, 5)))).all()


def test_two_streams_are_told_apart():
    colour = np.array([0.02, 0.05, 0.1, 0.08, 0.8, 0.9, 0.85])
    fine = np.array([0.3, 0.25, 0.4, 0.2, 0.1, 0.05, 0.0])
    found = separation(colour, fine, np.ones(7), permutations=2000, seed=0)
    assert (found.grey, found.coloured, found.share) == (4, 3, 1)
    assert found.threshold == pytest.approx(0.45)
    # Two of the 35 ways to deal out the frequencies are as far.
    assert found.p == pytest.approx(2 / 35, abs=0.02)


def test_share_and_chance_are_mann_and_whitney_s():
    rng = np.random.default_rng(1)
    colour = np.concatenate([rng.uniform(0, 0.3, 9), rng.uniform(0.6, 1, 7)])
    for fine in (rng.uniform(0, 0.5, 16), rng.integers(0, 5, 16) / 64):
        found = separation(colour, fine, np.ones(16), permutations=5000, seed=0)
        expected = mannwhitneyu(fine[:9], fine[9:], method="exact")
        assert found.share == pytest.approx(expected.statistic / 63)
        assert found == separation(colour, fine, np.ones(16), permutations=5000, seed=0)
        # The exact test knows no ties.
        if len(set(fine)) == len(fine):
            assert found.p == pytest.approx(expected.pvalue, abs=0.02)


def test_faint_filters_do_not_count():
    colour, fine = np.array([0, 0.1, 0.9, 1, 1]), np.array([0.3, 0.3, 0.1, 0.1, 0.4])
    norm = np.array([1, 1, 1, 1, 0.001])
    found = separation(colour, fine, norm, permutations=100, seed=0)
    assert (found.coloured, found.share) == (2, 1)


@pytest.mark.parametrize("colour", [[], [0.5], [0.5] * 9, [0.1, 0.2, 0.9]])
def test_without_two_groups_nothing_is_said(colour):
    values = np.array(colour)
    assert separation(values, values, np.ones(len(values)), permutations=100, seed=0) is None
