import numpy as np

from pipeline.comparison.overlap import overlap

ALL = np.full(3, 99)  # images on which a unit is active


def test_overlap_is_the_share_of_common_images_by_brute_force():
    rng = np.random.default_rng(0)
    first, second = (np.stack([rng.permutation(12)[:5] for _ in range(3)]) for _ in range(2))
    shared = np.array([[len(set(a) & set(b)) / 5 for b in second.tolist()] for a in first.tolist()])
    found = overlap(first, second, (ALL, ALL))
    np.testing.assert_allclose(found.same, np.diagonal(shared))
    np.testing.assert_allclose(found.best, shared.max(axis=1))
    np.testing.assert_allclose(shared[np.arange(3), found.best_unit], found.best)


def test_units_under_other_numbers_are_found():
    first = np.arange(9).reshape(3, 3)
    found = overlap(first, first[[1, 2, 0]], (ALL, ALL))
    assert found.same.tolist() == [0, 0, 0] and found.best.tolist() == [1, 1, 1]
    assert found.best_unit.tolist() == [2, 0, 1]


def test_of_equal_ones_the_unit_of_the_same_number_is_the_most_alike():
    same = np.zeros((3, 1), np.int64)
    assert overlap(same, same, (ALL, ALL)).best_unit.tolist() == [0, 1, 2]


def test_images_of_silent_units_and_of_one_run_alone_count_for_nothing():
    first = np.array([[0, 1], [2, 3], [4, -1]])
    active = np.array([99, 0, 99])
    found = overlap(first, first, (active, ALL))
    assert found.same[[0, 2]].tolist() == [1, 0.5] and np.isnan(found.same[1])
    assert np.isnan(found.best[1])
    assert np.isnan(overlap(first, first, (ALL, 0 * ALL)).best).all()


def test_images_on_which_a_unit_is_not_active_count_for_nothing():
    """They tie, and stand in the same order in every ranking."""
    first, second = np.array([[7, 0, 1, 2], [3, 4, 0, 1]]), np.array([[8, 0, 1, 2], [4, 5, 6, 0]])
    found = overlap(first, second, (np.array([1, 2]), np.array([1, 3])))
    assert found.same.tolist() == [0, 1 / 3]
    assert overlap(first, first, (np.array([1, 2]),) * 2).same.tolist() == [1, 1]
