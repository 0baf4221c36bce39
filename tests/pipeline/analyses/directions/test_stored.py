import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipeline.analyses.directions.stored import Stored, components, rank_stored
from pipeline.errors import UserError
from pipeline.topk.streaming import TopK
from tests.small.artifacts import write_activations

RNG = np.random.default_rng(0)
# Many ties.
VALUES = np.maximum(RNG.integers(-2, 4, (40, 4)), 0).astype(np.float32)


@pytest.fixture
def stored(tmp_path):
    folder = tmp_path / "activations"
    folder.mkdir()
    ids = write_activations(folder, **{"maxima/relu/value": VALUES, "mean/relu": VALUES * 2})
    return Stored(folder, "relu", "maxima"), ids


def test_along_single_units_are_the_units_values_and_ranks_ties_broken_alike(stored):
    ranking = rank_stored(stored[0], np.eye(4, dtype=np.float32), 6)
    expected = TopK(6).add(VALUES, stored[1], np.zeros((40, 4, 2), np.uint16))
    np.testing.assert_array_equal(ranking.value, expected.value)
    np.testing.assert_array_equal(ranking.image_id, expected.image_id)
    np.testing.assert_array_equal(ranking.count_active, expected.count_active)


def test_along_any_direction_the_order_is_that_of_inner_products(stored):
    directions = RNG.standard_normal((3, 4)).astype(np.float32)
    ranking = rank_stored(stored[0], directions, 5)
    along = VALUES @ directions.T
    for number in range(3):
        order = np.lexsort((stored[1], -along[:, number]))[:5]
        np.testing.assert_array_equal(ranking.image_id[number], stored[1][order])
    # All along this one are negative or zero, and it has its ranks all the same.
    downwards = rank_stored(stored[0], -np.ones((1, 4), np.float32), 5)
    np.testing.assert_array_equal(downwards.value[0], np.sort(-VALUES.sum(1))[::-1][:5])


def test_components_are_those_of_scikit_learn(stored):
    found = components(Stored(stored[0].folder, "relu", "means"), 3)
    expected = PCA(3).fit(VALUES * 2)
    np.testing.assert_allclose(np.abs(found.axes @ expected.components_.T), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(found.variance, expected.explained_variance_, rtol=1e-6)


def test_an_infinite_activation_is_refused(tmp_path):
    values = VALUES.copy()
    values[3, 1] = np.inf
    write_activations(tmp_path, **{"maxima/relu/value": values})
    with pytest.raises(UserError, match="layer 'relu'.*check the weights"):
        rank_stored(Stored(tmp_path, "relu", "maxima"), np.eye(4, dtype=np.float32)[:1], 2)
