"""Thumbnails: whole images in squares."""

import numpy as np
import pytest

from pipeline.analyses.patches.thumbnails import thumbnail, thumbnails
from pipeline.images.decoding import ImageError

RNG = np.random.default_rng(0)


def test_a_square_image_fills_the_square_with_means():
    rgb = RNG.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    small = thumbnail(rgb, 4)
    assert (small.width, small.height) == (4, 4)
    assert np.abs(small.pixels - rgb.reshape(4, 2, 4, 2, 3).mean((1, 3))).max() <= 0.5


def test_a_small_image_is_enlarged_crisply():
    rgb = RNG.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    np.testing.assert_array_equal(thumbnail(rgb, 6).pixels, rgb.repeat(3, 0).repeat(3, 1))


def test_a_landscape_is_centred_between_bars():
    small = thumbnail(np.full((10, 20, 3), 200, np.uint8), 16)
    assert (small.width, small.height) == (16, 8)
    assert (small.pixels[4:12] == 200).all()
    assert not small.pixels[:4].any()
    assert not small.pixels[12:].any()


@pytest.mark.parametrize(("height", "width"), [(1, 1000), (1000, 1), (1, 1), (3, 7), (333, 334), (5, 4)])
def test_any_shape_fills_exactly_the_content_it_states(height, width):
    small = thumbnail(np.full((height, width, 3), 9, np.uint8), 32)
    assert max(small.width, small.height) == 32
    assert min(small.width, small.height) >= 1
    x, y = (32 - small.width) // 2, (32 - small.height) // 2
    expected = np.zeros((32, 32), bool)
    expected[y : y + small.height, x : x + small.width] = True
    np.testing.assert_array_equal(small.pixels[..., 0] == 9, expected)


def test_many_come_in_order_and_a_bad_one_is_told():
    def read(image_id):
        if image_id == 2:
            raise ImageError("missing", "no such file")
        return np.full((4, 4, 3), image_id, np.uint8), 10 * image_id

    made = list(thumbnails(range(5), read, 8, threads=3))
    assert [int(small.pixels[0, 0, 0]) for small in made] == [0, 1, 0, 3, 4]
    assert (made[2].width, made[2].height) == (0, 0)
    assert "no such file" in made[2].problem
    assert [one.file_bytes for one in made] == [0, 10, 0, 30, 40]
    assert made[2].attributes is None
    assert [one.attributes.brightness for one in made if one.attributes] == pytest.approx(
        [image_id / 255 for image_id in (0, 1, 3, 4)]
    )
