import numpy as np
import pytest

from pipeline.analyses.correspondence.warps import Ranges, Warp, draw_points, draw_warp, inside

SIZE = (20, 32)
RANGES = Ranges(30.0, (0.5, 2.0), 0.3)
PICTURE = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
FILL = np.array([1, 2, 3], np.uint8)


def moved(y, x):
    return Warp(np.array([[1.0, 0.0, y], [0.0, 1.0, x]]))


def test_a_shift_by_whole_pixels_moves_every_pixel_and_fills_the_rest():
    warped = moved(3, -5).picture(PICTURE, FILL)
    np.testing.assert_array_equal(warped[3:, :-5], PICTURE[:-3, 5:])
    assert (warped[:3] == FILL).all() and (warped[:, -5:] == FILL).all()


def test_a_quarter_turn_is_that_of_numpy():
    square = PICTURE[:, :20]
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    warp = Warp(np.column_stack([turn, [20.0, 0.0]]))
    np.testing.assert_array_equal(warp.picture(square, FILL), np.rot90(square))


def test_half_a_pixel_is_the_mean_of_two():
    warped = moved(0, 0.5).picture(PICTURE, FILL)
    expected = np.rint((PICTURE[:, :-1].astype(float) + PICTURE[:, 1:]) / 2)
    assert np.abs(warped[:, 1:].astype(float) - expected).max() == 0


def test_origins_undo_places():
    warp = draw_warp(RANGES, SIZE, np.random.default_rng(1))
    points = np.random.default_rng(2).uniform(0, 20, (50, 2))
    np.testing.assert_allclose(warp.origins(warp.places(points)), points, atol=1e-9)


def test_warps_stay_within_their_ranges():
    for seed in range(50):
        warp = draw_warp(RANGES, SIZE, np.random.default_rng(seed))
        turned = warp.matrix[:, :2]
        scale = np.sqrt(np.linalg.det(turned))
        angle = np.rad2deg(np.arctan2(turned[1, 0], turned[0, 0]))
        middle = np.array(SIZE) / 2
        assert 0.5 <= scale <= 2 and abs(angle) <= 30
        np.testing.assert_allclose(turned @ turned.T, scale**2 * np.eye(2), atol=1e-12)
        assert (np.abs(warp.places(middle[None])[0] - middle) <= 0.3 * np.array(SIZE)).all()


def test_no_range_is_no_warp():
    warp = draw_warp(Ranges(0, (1, 1), 0), SIZE, np.random.default_rng(0))
    np.testing.assert_array_equal(warp.matrix, [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(warp.picture(PICTURE, FILL), PICTURE)


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_points_are_seen_in_both_views(scale):
    warp = draw_warp(Ranges(180, (scale, scale), 0.4), SIZE, np.random.default_rng(3))
    points = draw_points(warp, SIZE, 40, np.random.default_rng(4))
    assert points.shape == (40, 2)
    assert inside(points, SIZE).all() and inside(warp.places(points), SIZE).all()
