"""Pictures as WebP: without loss where that is small, else at a quality that looks the same."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

HIGHEST = 16_383  # pixels, the most that WebP can hold
# Bytes a pixel without loss: photographs take more than one, enlarged pixels of digits less than a fiftieth.
SMALL = 0.2
_DETAILED = 0.4  # the same, coded in haste


def save_webp(path: Path, image: Image.Image, quality: int = 90, *, small: float = SMALL) -> None:
    """Write an image as WebP.

    Without loss, or at the given quality where that is smaller: flat colours and enlarged pixels, as of
    digits, are several times smaller without loss, photographs with.

    Parameters
    ----------
    path
        The file; its folder is made.
    image
        RGB or RGBA.
    quality
        1 to 100, of what is written with loss.
    small
        Bytes a pixel up to which no loss is tried.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image.width * image.height
    # Without loss a photograph takes ten times as long: it is not tried where it cannot win.
    encoded = _encoded(image, lossless=True, quality=0, method=0)
    if len(encoded) <= _DETAILED * pixels:
        encoded = _encoded(image, lossless=True, quality=90, method=4)
    if len(encoded) > small * pixels:
        encoded = min(encoded, _encoded(image, lossless=False, quality=quality, method=4), key=len)
    path.write_bytes(encoded)


def _encoded(image: Image.Image, *, lossless: bool, quality: int, method: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=lossless, quality=quality, method=method)
    return buffer.getvalue()
