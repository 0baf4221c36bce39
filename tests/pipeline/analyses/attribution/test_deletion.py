"""Deletion of a planted linear score, whose curves and areas are known in closed form."""

import numpy as np
import pytest

from pipeline.analyses.attribution.deletion import curves, inputs_of, pixel_counts
from pipeline.formats.scorecard import Order

SIZE = (4, 5)
PIXELS = SIZE[0] * SIZE[1]
# The score is the sum of weight times value; pixel p, line by line, has weight p + 1 in each channel.
WEIGHT = (np.arange(PIXELS) + 1.0).reshape(SIZE)
IMAGE, UNDER = np.ones((2, *SIZE), np.float32), np.full((2, *SIZE), -1, np.float32)


class Linear:
    def __init__(self):
        self.batches = []

    def __call__(self, inputs):
        self.batches.append(len(inputs))
        return (inputs.astype(np.float64) * WEIGHT).sum((1, 2, 3))


def test_curves_and_areas_of_a_linear_score_are_those_known():
    counts = pixel_counts(PIXELS, PIXELS)
    best, worst = np.arange(PIXELS)[::-1], np.arange(PIXELS)
    found = curves(IMAGE, UNDER, np.stack([best, worst]), counts, Linear(), 7)
    total = 2 * WEIGHT.sum()
    # A pixel that goes takes from 1 to -1, in two channels: 4 times its weight.
    gone = {
        name: np.concatenate([[0], np.cumsum(4 * WEIGHT.ravel()[order])])
        for name, order in (("best", best), ("worst", worst))
    }
    np.testing.assert_allclose(found[0], [total - gone["best"], total - gone["worst"]])
    np.testing.assert_allclose(found[1], [gone["best"] - total, gone["worst"] - total])
    # Of the sum of weights N(N+1)/2, the best k are k(2N+1-k)/2: with trapezoids, k²'s mean over 0..N is
    # N²/3 + 1/6.
    n = PIXELS
    best_mean = ((2 * n + 1) * n / 2 - (n * n / 3 + 1 / 6)) / 2
    area = Order(*found, np.full(2, -1, np.int8)).areas(counts / counts[-1])
    assert area[0][0] == pytest.approx(total - 4 * best_mean)
    assert area[1][0] == pytest.approx(4 * best_mean - total)
    # By symmetry the worst order is the best one backwards.
    assert area[0][1] == pytest.approx(area[1][0])


def test_few_steps_pass_through_the_same_points():
    order = np.random.default_rng(0).permutation(PIXELS)[None]
    every, few = pixel_counts(PIXELS, PIXELS), pixel_counts(PIXELS, 6)
    assert few.tolist() == [0, 3, 7, 10, 13, 17, 20]
    all_of_it = curves(IMAGE, UNDER, order, every, Linear(), 64)
    np.testing.assert_allclose(curves(IMAGE, UNDER, order, few, Linear(), 64), all_of_it[:, :, few])


def test_batches_change_nothing_and_the_cost_is_known_beforehand():
    orders = np.stack([np.random.default_rng(seed).permutation(PIXELS) for seed in range(3)])
    counts, small, large = pixel_counts(PIXELS, 4), Linear(), Linear()
    found = [curves(IMAGE, UNDER, orders, counts, answer, most) for answer, most in ((small, 4), (large, 99))]
    np.testing.assert_array_equal(*found)
    assert sum(small.batches) == sum(large.batches) == inputs_of(3, counts) == 20
    assert max(small.batches) == 4


def test_more_steps_than_pixels_are_as_many_as_pixels():
    assert pixel_counts(3, 16).tolist() == [0, 1, 2, 3]
