import numpy as np

from pipeline.analyses.training_dynamics.course import course

RNG = np.random.default_rng(0)


def test_means_and_change_are_of_the_images_that_have_the_number_throughout():
    values = np.array([[1.0, 2, np.nan], [2, 4, 9]])
    found = course(values, 0)
    assert (found.images, found.change, found.mean.tolist()) == (2, 1.5, [1.5, 3])
    assert course(np.full((2, 3), np.nan), 0) is None


def test_intervals_are_about_as_wide_as_the_normal_ones():
    values = RNG.standard_normal((2, 400))
    found = course(values, 0)
    expected = 2 * 1.96 * values.std(1) / 20
    np.testing.assert_allclose(found.high - found.low, expected, rtol=0.1)
    assert (found.low < found.mean).all() and (found.mean < found.high).all()


def test_pairing_sees_a_small_change_among_images_that_differ_much():
    first = 100 * RNG.standard_normal(200)
    steps = np.stack([first, first + 0.1 + 0.01 * RNG.standard_normal(200)])
    assert course(steps, 0).direction == 1
    assert course(steps[::-1], 0).direction == -1
    assert course(np.stack([first, RNG.permutation(first)]), 0).direction == 0
