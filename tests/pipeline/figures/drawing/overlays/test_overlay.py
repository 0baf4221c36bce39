import numpy as np

from pipeline.figures.drawing.overlays.overlay import ABOVE, BELOW, key, muted, overlay, scaled

PICTURE = np.random.default_rng(0).integers(0, 256, (4, 6, 3)).astype(np.uint8)


def test_zero_leaves_the_grey_image_and_more_leaves_less():
    values = np.zeros((4, 6))
    values[0], values[1], values[2] = 0.5, 2, -2
    found = overlay(PICTURE, values, 2).astype(int)
    grey = muted(PICTURE).astype(int)
    assert (found[3] == grey[3]).all()
    # A quarter of full scale is nearer to the image than full scale is, either way.
    for row, ink in ((1, ABOVE), (2, BELOW)):
        assert (np.abs(found[row] - ink).max(1) <= 0.16 * np.abs(grey[row] - ink).max(1) + 1).all()
    assert (np.abs(found[0] - grey[0]).max(1) < np.abs(found[1] - grey[1]).max(1)).all()


def test_beyond_full_scale_colours_are_those_of_full_scale():
    assert (overlay(PICTURE, np.full((4, 6), 9.0), 1) == overlay(PICTURE, np.ones((4, 6)), 1)).all()


def test_where_there_is_no_number_the_image_is_darker():
    found = overlay(PICTURE, np.full((4, 6), np.nan), 1)
    assert (found < muted(PICTURE)).all()


def test_pictures_of_one_channel_are_drawn_too():
    assert overlay(PICTURE[..., :1], np.zeros((4, 6)), 1).shape == (4, 6, 3)


def test_longer_side_is_as_asked_for():
    assert scaled(PICTURE, 12).shape == (8, 12, 3)
    assert scaled(PICTURE, 3).shape == (2, 3, 3)


def test_key_has_its_ends_and_its_zero():
    texts = [one.text for one in key(0, 0, 200, "-1", "1") if hasattr(one, "text")]
    assert texts == ["-1", "1", "0"]
    texts = [one.text for one in key(0, 0, 200, "0", "1", signed=False) if hasattr(one, "text")]
    assert texts == ["0", "1"]
