"""Patches of images whose pixels tell where they are."""

import errno
import os
import threading

import numpy as np
import pytest

from pipeline.analyses.patches.patches import Wanted, context, cut_patch, draw, scratch
from pipeline.errors import UserError
from pipeline.images.decoding import ImageError
from pipeline.images.network_input import prepare
from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import view


def coordinates(height, width):
    """Red is x, green is y, blue 77: a pixel says where it came from."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, 77)], -1).astype(np.uint8)


WHOLE = (0.0, 0.0, 200.0, 100.0)
IMAGE = coordinates(100, 200)


def test_a_box_at_scale_one_gives_its_pixels():
    patch = cut_patch(IMAGE, (30, 40, 46, 56), WHOLE, 16)
    np.testing.assert_array_equal(patch.pixels, IMAGE[40:56, 30:46])
    assert patch.mask.all()
    assert patch.scale == 1


def test_enlarged_every_pixel_becomes_a_square():
    patch = cut_patch(IMAGE, (30, 40, 34, 44), WHOLE, 16)
    np.testing.assert_array_equal(patch.pixels, IMAGE[40:44, 30:34].repeat(4, 0).repeat(4, 1))
    assert patch.scale == 4


def test_reduced_a_cell_is_the_mean_of_its_pixels():
    patch = cut_patch(IMAGE, (30, 40, 62, 72), WHOLE, 8)
    assert patch.pixels[0, 0].tolist() == [32, 42, 77]
    assert patch.pixels[7, 7].tolist() == [60, 70, 77]


def test_a_box_between_pixels_weighs_them():
    patch = cut_patch(IMAGE, (30.25, 40.5, 32.25, 42.5), WHOLE, 2)
    expected = (IMAGE[40:42, 30:32] * 0.75 + IMAGE[40:42, 31:33] * 0.25)[..., 0]
    assert np.abs(patch.pixels[..., 0] - expected).max() <= 0.5


def test_outside_the_image_nothing_is_seen():
    patch = cut_patch(IMAGE, (-4, -2, 4, 6), WHOLE, 8)
    assert patch.mask.sum() == 6 * 4
    np.testing.assert_array_equal(patch.pixels[2:, 4:], IMAGE[:6, :4])
    assert not patch.mask[:2].any()
    assert not patch.mask[:, :4].any()
    assert not patch.pixels[patch.mask == 0].any()


def test_outside_the_centre_crop_nothing_is_seen():
    patch = cut_patch(IMAGE, (46, 10, 54, 18), (50.0, 0.0, 150.0, 100.0), 8)
    assert not patch.mask[:, :4].any()
    np.testing.assert_array_equal(patch.pixels[:, 4:], IMAGE[10:18, 50:54])


@pytest.mark.parametrize("corner", [(-100, -100), (-290, -5), (-1, -180)])
def test_a_box_larger_than_the_image_shows_what_the_network_saw(corner):
    seen = (50.0, 0.0, 150.0, 100.0)
    patch = cut_patch(IMAGE, (*corner, corner[0] + 400, corner[1] + 200), seen, 50)
    assert patch.mask.all()
    assert patch.scale == 0.5
    np.testing.assert_array_equal(patch.pixels, cut_patch(IMAGE, seen, seen, 50).pixels)


def test_a_box_larger_than_the_image_along_one_axis_is_cut_along_that_one():
    patch = cut_patch(IMAGE, (-20, -70, 100, 150), WHOLE, 60)
    assert patch.scale == 0.5
    # 120 wide, of which 20 lie beside the image; of 220 rows the 100 of the image, centred in the square.
    rows, columns = np.nonzero(patch.mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 54, 10, 59)


def test_a_box_that_is_not_square_is_centred():
    patch = cut_patch(IMAGE, (20, 10, 60, 30), WHOLE, 40)
    assert not patch.mask[:10].any()
    assert not patch.mask[30:].any()
    np.testing.assert_array_equal(patch.pixels[10:30], IMAGE[10:30, 20:60])


@pytest.mark.parametrize(("width", "height"), [(200, 100), (90, 150), (64, 64), (20, 30)])
def test_the_whole_input_as_box_shows_what_the_network_saw(width, height):
    preprocessing = Preprocessing(input_size=(48, 48), resize=64, crop="center", interpolation="box")
    image = coordinates(height, width)
    seen = view(width, height, preprocessing)
    patch = cut_patch(image, seen, seen, 48)
    assert (
        np.abs(patch.pixels.astype(int) - prepare(image, preprocessing)).max() <= max(width, height) / 64 + 1
    )


def test_a_context_places_the_view_and_says_where():
    drawn = context(IMAGE, (50.0, 0.0, 150.0, 50.0), 20)
    assert drawn.scale == pytest.approx(0.2)
    assert drawn.offset == pytest.approx((-10.0, 5.0))
    assert not drawn.pixels[:5].any()
    assert not drawn.pixels[15:].any()
    x, y = 100, 20
    cell = drawn.pixels[int(drawn.offset[1] + y * drawn.scale), int(drawn.offset[0] + x * drawn.scale)]
    assert abs(int(cell[0]) - x) <= 3
    assert abs(int(cell[1]) - y) <= 3


def random_wanted(rng, places=40, images=7):
    ids = rng.integers(-1, images, places)
    corner = rng.uniform(-10, 60, (places, 2))
    box = np.concatenate([corner, corner + rng.uniform(4, 50, (places, 1))], 1).astype(np.float32)
    return Wanted(ids, box, 12, 24)


@pytest.mark.parametrize("threads", [1, 3])
def test_drawing_a_sheet_equals_cutting_one_by_one_and_decodes_once(tmp_path, threads):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (rng.integers(40, 70), 60, 3)).astype(np.uint8) for _ in range(7)]
    wanted, reads, lock = random_wanted(rng), [], threading.Lock()

    def read(image_id):
        with lock:
            reads.append(image_id)
        return images[image_id]

    def seen(width, height):
        return 5.0, 0.0, width - 5.0, float(height)

    with scratch(tmp_path, wanted) as into:
        contexts = {
            drawn.image_id: drawn.context for drawn in draw(wanted, into, read, seen, threads=threads)
        }
        for place, image_id in enumerate(wanted.image_id):
            if image_id < 0:
                assert not into.mask[place].any()
                continue
            patch = cut_patch(images[image_id], wanted.box[place], seen(60, len(images[image_id])), 12)
            np.testing.assert_array_equal(into.pixels[place], patch.pixels)
            np.testing.assert_array_equal(into.mask[place], patch.mask)
            assert into.scale[place] == np.float32(patch.scale)
    assert sorted(reads) == list(contexts) == sorted(set(wanted.image_id.tolist()) - {-1})
    assert not list(tmp_path.iterdir())


def test_an_image_that_cannot_be_read_leaves_its_places_empty(tmp_path):
    def read(image_id):
        if image_id == 1:
            raise ImageError("missing", "no such file")
        return IMAGE

    wanted = Wanted(np.array([1, 0, 1]), np.tile(np.float32([0, 0, 8, 8]), (3, 1)), 8, 8)
    with scratch(tmp_path, wanted) as into:
        good, bad = draw(wanted, into, read, lambda *_: WHOLE, threads=2)
        assert [bool(mask.any()) for mask in into.mask] == [False, True, False]
    assert good.context is not None
    assert not good.problem
    assert bad.context is None
    assert "no such file" in bad.problem


def test_an_empty_sheet_draws_nothing(tmp_path):
    wanted = Wanted(np.empty(0, np.int64), np.empty((0, 4), np.float32), 8, 8)
    with scratch(tmp_path, wanted) as into:
        assert not list(draw(wanted, into, lambda _: None, lambda *_: None, threads=1))


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pipeline.numerics.scratch.os.posix_fallocate", full)
    with (
        pytest.raises(UserError, match="No space left on device.*patches.units or patches.side"),
        scratch(tmp_path, random_wanted(np.random.default_rng(0))),
    ):
        pass
