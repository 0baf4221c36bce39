"""The weakest and random images of units against sorting everything."""

import numpy as np
import pytest

from pipeline.analyses.contrasts import Contrasts

IMAGES, UNITS = 50, 4
CHOSEN = np.array([3, 20, 41])


@pytest.fixture
def maxima():
    """Outputs of which many are zero, and what enters them; the last unit is never active."""
    rng = np.random.default_rng(0)
    keys = rng.normal(size=(IMAGES, UNITS)).astype(np.float32)
    keys[:, 3] = -1
    return keys, np.maximum(keys, 0), rng.integers(0, 9, (IMAGES, UNITS, 2)).astype(np.uint16)


@pytest.fixture
def contrasts(maxima):
    keys, outputs, positions = maxima
    found = Contrasts(UNITS, 5, CHOSEN)
    for start in range(0, IMAGES, 7):
        rows = slice(start, start + 7)
        found.add(np.arange(IMAGES)[rows], keys[rows], positions[rows], outputs[rows])
    return found


def test_weakest_are_the_smallest_positive_ones(contrasts, maxima):
    keys, outputs, positions = maxima
    found = contrasts.weakest()
    for unit in range(3):
        order = np.argsort(np.where(outputs[:, unit] > 0, keys[:, unit], np.inf), kind="stable")[:5]
        assert found.image_id[unit].tolist() == order.tolist()
        np.testing.assert_array_equal(found.value[unit], keys[order, unit])
        np.testing.assert_array_equal(found.position[unit], positions[order, unit])
    assert found.active[:3].all()


def test_places_of_a_unit_that_is_never_active_stay_empty(contrasts):
    found = contrasts.weakest()
    assert found.image_id[3].tolist() == [-1] * 5 and (found.value[3] == -np.inf).all()
    assert not found.active[3].any()


def test_random_images_are_those_that_were_chosen_in_the_order_of_each_unit(contrasts, maxima):
    keys, outputs, positions = maxima
    found = contrasts.random()
    for unit in range(UNITS):
        order = CHOSEN[np.argsort(-keys[CHOSEN, unit], kind="stable")]
        assert found.image_id[unit].tolist() == order.tolist()
        np.testing.assert_array_equal(found.value[unit], keys[order, unit])
        np.testing.assert_array_equal(found.position[unit], positions[order, unit])
        np.testing.assert_array_equal(found.active[unit], outputs[order, unit] > 0)
