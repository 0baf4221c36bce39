"""Pictures as WebP."""

import numpy as np
from PIL import Image

from pipeline.figures.drawing.webp import save_webp

RNG = np.random.default_rng(0)


def photograph(side=96):
    y, x = np.mgrid[:side, :side]
    smooth = 128 + 60 * np.sin(x / 9) + 60 * np.cos(y / 7)
    return np.clip(smooth[..., None] + RNG.normal(0, 6, (side, side, 3)), 0, 255).astype(np.uint8)


def read(path):
    with Image.open(path) as image:
        assert image.format == "WEBP"
        return np.asarray(image.convert("RGB"))


def test_photographs_are_small_and_look_the_same(tmp_path):
    noisy = photograph()
    Image.fromarray(noisy).save(tmp_path / "a.png")
    save_webp(tmp_path / "folder/a.webp", Image.fromarray(noisy).convert("RGBA"))
    save_webp(tmp_path / "less.webp", Image.fromarray(noisy), quality=60)
    sizes = [(tmp_path / name).stat().st_size for name in ("less.webp", "folder/a.webp", "a.png")]
    assert sizes[0] < sizes[1] < 0.5 * sizes[2]
    error = read(tmp_path / "folder/a.webp").astype(float) - noisy
    assert np.sqrt((error**2).mean()) < 6


def test_enlarged_pixels_are_what_they_were(tmp_path):
    digits = RNG.integers(0, 256, (12, 12, 3)).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    save_webp(tmp_path / "a.webp", Image.fromarray(digits))
    np.testing.assert_array_equal(read(tmp_path / "a.webp"), digits)


def test_equal_pictures_give_equal_bytes(tmp_path):
    for name in ("a.webp", "b.webp"):
        save_webp(tmp_path / name, Image.fromarray(photograph(32) * 0 + 7))
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
