"""Pictures inside of SVG and PDF: the smaller of PNG and JPEG."""

import io

import numpy as np
from PIL import Image

from pipeline.figures.drawing.canvas.coding import code, is_opaque, on_white

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
FLAT = np.full((64, 64, 3), 90, np.uint8)


def with_opacity(pixels, opacity):
    return np.dstack((pixels, np.full(pixels.shape[:2], opacity, np.uint8)))


def test_the_smaller_form_is_taken():
    for pixels, kind in ((NOISE, "jpeg"), (FLAT, "png")):
        coded = code(pixels)
        assert coded.kind == kind == Image.open(io.BytesIO(coded.content)).format.lower()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(code(FLAT).content))), FLAT)


def test_what_is_transparent_is_no_jpeg():
    assert code(with_opacity(NOISE, 255)).kind == "jpeg"
    assert code(with_opacity(NOISE, 254)).kind == "png"


def test_opacity():
    assert is_opaque(NOISE) and is_opaque(with_opacity(NOISE, 255))
    assert not is_opaque(with_opacity(NOISE, 254))


def test_white_shows_through_by_its_share():
    np.testing.assert_array_equal(on_white(with_opacity(NOISE, 255)), NOISE)
    assert (on_white(with_opacity(NOISE, 0)) == 255).all()
    expected = np.rint(NOISE * 0.4 + 255 * 0.6)
    np.testing.assert_array_equal(on_white(with_opacity(NOISE, 102)), expected)
