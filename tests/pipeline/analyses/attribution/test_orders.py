import numpy as np

from pipeline.analyses.attribution.orders import by_importance, from_the_middle, lots


def test_lots_are_permutations_that_depend_on_the_image_and_the_seed_alone():
    found = lots(7, (3, 4), 5, seed=1)
    assert all(sorted(one) == list(range(12)) for one in found.tolist())
    assert (found != found[:1])[1:].any(1).all()
    np.testing.assert_array_equal(lots(7, (3, 4), 2, seed=1), found[:2])
    assert (lots(8, (3, 4), 5, seed=1) != found).any() and (lots(7, (3, 4), 5, seed=2) != found).any()


def test_what_matters_most_comes_first_and_equals_by_lot():
    matters = np.array([[0, 3, 0], [0, 0, 5.0]])
    lot = np.array([4, 3, 5, 0, 1, 2])
    assert by_importance(matters, lot).tolist() == [5, 1, 4, 3, 0, 2]


def test_the_middle_is_left_for_the_corners():
    order = from_the_middle((3, 5), lots(0, (3, 5), 1, 0)[0])
    assert order[0] == 7 and sorted(order[-4:]) == [0, 4, 10, 14]
    assert sorted(from_the_middle((2, 2), np.arange(4))) == [0, 1, 2, 3]
