import numpy as np

from pipeline.analyses.excited_units import AT_ONCE, MostExcited, standing

RNG = np.random.default_rng(0)


def test_a_rank_counts_the_images_that_are_as_large_or_larger():
    maxima = np.array([0, 5, 3, 5, 0, 1], np.float32)
    rank, score = standing(maxima, np.arange(6))
    assert rank.tolist() == [6, 2, 3, 2, 6, 4]
    np.testing.assert_allclose(score, (maxima - maxima.mean()) / maxima.std(), rtol=1e-6)


def test_where_all_are_equal_no_image_stands_out():
    rank, score = standing(np.full(4, 6, np.float32), np.array([1, 3]))
    assert rank.tolist() == [4, 4] and score.tolist() == [0, 0]


def test_the_best_of_all_units_are_kept_as_by_sorting_them_all():
    layers = [
        np.round(RNG.standard_normal((count, 50)), 1).astype(np.float32) for count in (3, 2 * AT_ONCE + 7, 5)
    ]
    rows = np.array([0, 7, 49])
    best = MostExcited(rows, 6)
    for place, maxima in enumerate(layers):
        best.add(place, np.arange(len(maxima)) + 10, maxima, np.ones(maxima.shape, bool))
    found = best.found()
    for image, row in enumerate(rows):
        everything = []
        for place, maxima in enumerate(layers):
            for unit, one in enumerate(maxima):
                score = (one[row] - one.mean(dtype=np.float64)) / one.std(dtype=np.float64)
                everything.append(((one >= one[row]).sum(), -score, place, unit))
        for column, (rank, _, place, unit) in enumerate(sorted(everything)[:6]):
            assert (found.layer[image, column], found.unit[image, column]) == (place, unit + 10)
            assert found.rank[image, column] == rank
            assert found.value[image, column] == layers[place][unit, row]


def test_fewer_units_than_are_kept_leave_places_empty():
    best = MostExcited(np.arange(2), 3)
    best.add(4, np.array([9]), np.array([[1, 2]], np.float32), np.ones((1, 2), bool))
    best.add(5, np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros((0, 2), bool))
    found = best.found()
    assert found.unit.tolist() == [[9, -1, -1]] * 2 and found.rank.tolist() == [[2, -1, -1], [1, -1, -1]]
    assert np.isnan(found.value[:, 1:]).all()


def test_an_image_excites_no_unit_that_is_not_active_on_it_however_high_it_stands_there():
    best = MostExcited(np.arange(3), 2)
    before = np.array([[-5, -1, -3], [1, -2, 4]], np.float32)
    best.add(0, np.array([6, 7]), before, before > 0)
    found = best.found()
    assert found.unit.tolist() == [[7, -1], [-1, -1], [7, -1]]
    assert found.layer.tolist() == [[0, -1], [-1, -1], [0, -1]]
    assert found.rank.tolist() == [[2, -1], [-1, -1], [1, -1]]
    np.testing.assert_array_equal(found.value, [[1, np.nan], [np.nan, np.nan], [4, np.nan]])


def test_without_a_unit_all_places_are_empty():
    assert (MostExcited(np.arange(2), 3).found().layer == -1).all()
