"""A picture as it lies inside of SVG and PDF: the smaller of PNG and JPEG, which all programs read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image


@dataclass(frozen=True)
class Coded:
    """The bytes of a PNG or a JPEG."""

    kind: Literal["png", "jpeg"]
    content: bytes


def code(pixels: npt.NDArray[np.uint8]) -> Coded:
    """Code a picture, (h, w, 3) or with opacity (h, w, 4), as PNG or JPEG, whichever is smaller."""
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", compress_level=6)
    found = Coded("png", png.getvalue())
    # JPEG knows no transparency.
    if is_opaque(pixels):
        jpeg = io.BytesIO()
        Image.fromarray(pixels[..., :3]).save(jpeg, "JPEG", quality=90)
        found = min(found, Coded("jpeg", jpeg.getvalue()), key=lambda one: len(one.content))
    return found


def is_opaque(pixels: npt.NDArray[np.uint8]) -> bool:
    """Tell whether nothing behind a picture can be seen through it."""
    return pixels.shape[2] == 3 or bool((pixels[..., 3] == 255).all())


def on_white(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Lay a picture with opacity, (h, w, 4), on white: (h, w, 3)."""
    opacity = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
