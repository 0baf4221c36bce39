import numpy as np
import pytest

from pipeline.analyses.outlines.contours import outline, simplified
from pipeline.numerics.geometry import ReceptiveField, whole
from pipeline.numerics.upsampling import centres, upsample


def area(rings):
    """Enclosed by rings, holes taken off: they wind the other way."""
    return sum(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2 for x, y in (ring.T for ring in rings))


def test_an_outline_encloses_what_lies_above_the_level():
    rng = np.random.default_rng(1)
    values = rng.random((6, 6))
    at = centres(whole((48, 48), "global"), (6, 6), (48, 48))
    fine = (np.arange(960) + 0.5) / 20
    expected = (upsample(values, at, fine, fine) > 0.6).mean() * 48 * 48
    rings = outline(values, 0.6, at, (48, 48))
    assert abs(area(rings)) == pytest.approx(expected, rel=5e-3)
    for ring in rings:
        np.testing.assert_array_equal(ring[0], ring[-1])
        assert ring.min() >= 0 and ring.max() <= 48


def test_one_neuron_is_outlined_about_its_centre():
    values = np.zeros((8, 8))
    values[2, 5] = 1
    field = ReceptiveField((9, 9), (4, 4), (-1, -1), "exact")
    (ring,) = outline(values, 0.5, centres(field, (8, 8), (32, 32)), (32, 32))
    x, y = ring[:-1].T
    # Its centre lies at -1 + 4 p + 4.5; half of the peak is reached halfway to its neighbours.
    np.testing.assert_allclose([(x.min() + x.max()) / 2, (y.min() + y.max()) / 2], [23.5, 11.5], atol=0.05)
    np.testing.assert_allclose([np.ptp(x), np.ptp(y)], 4, atol=0.1)


def test_a_hole_is_a_ring_of_its_own():
    values = np.ones((5, 5))
    values[2, 2] = 0
    at = centres(whole((50, 50), "global"), (5, 5), (50, 50))
    outer, hole = sorted(outline(values, 0.5, at, (50, 50)), key=lambda ring: -np.ptp(ring))
    assert [outer.min(), outer.max()] == [0, 50]
    assert area([outer]) * area([hole]) < 0


def test_nothing_above_the_level_has_no_outline():
    at = centres(whole((8, 8), "global"), (2, 2), (8, 8))
    assert outline(np.full((2, 2), 6.0), 6.0, at, (8, 8)) == []


def test_a_peak_between_the_samples_is_found():
    values = np.zeros((224, 224))
    values[101, 33] = 1
    field = ReceptiveField((1, 1), (1, 1), (0, 0), "exact")
    (ring,) = outline(values, 0.5, centres(field, (224, 224), (224, 224)), (224, 224))
    np.testing.assert_allclose(ring[:-1].mean(0), [33.5, 101.5], atol=1e-6)


def test_a_simplified_ring_stays_within_the_tolerance():
    angle = np.linspace(0, 2 * np.pi, 400)
    circle = 20 * np.stack([np.cos(angle), np.sin(angle)], 1)
    circle[-1] = circle[0]
    found = simplified(circle, 0.3)
    np.testing.assert_array_equal(found[0], found[-1])
    assert len(found) < 40
    # The middle of a chord is where it is furthest from the circle.
    middles = (found[1:] + found[:-1]) / 2
    assert np.hypot(*middles.T).min() > 20 - 0.31


def test_corners_of_a_square_are_all_that_is_left_of_it():
    side = np.linspace(0, 9, 10)
    square = np.concatenate([
        np.stack([side, 0 * side], 1), np.stack([0 * side + 9, side], 1)[1:],
        np.stack([9 - side, 0 * side + 9], 1)[1:], np.stack([0 * side, 9 - side], 1)[1:],
    ])  # fmt: skip
    assert simplified(square, 0.1).tolist() == [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
