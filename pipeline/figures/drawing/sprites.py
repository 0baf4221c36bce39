"""Many strips on a few sheets: a file a strip would be thousands of files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

# A page that shows one strip loads its whole sheet: of strips of photographs, this is about half a megabyte.
_LARGEST = 2_000_000  # pixels
_HIGHEST = 16_383  # pixels, the most that WebP can hold
_QUALITY = 90


def strips_a_sheet(width: int, height: int) -> int:
    """Return how many strips of a size, pixels, share a sheet."""
    return max(1, min(_LARGEST // (width * height), _HIGHEST // height))


def stack(strips: Sequence[Image.Image]) -> tuple[Image.Image, list[int]]:
    """Put strips below each other.

    Parameters
    ----------
    strips
        RGBA images.

    Returns
    -------
    sheet : Image.Image
        As wide as the widest of them.
    y : list of int
        The upper edge of each, pixels.
    """
    edges = [0]
    for strip in strips:
        edges.append(edges[-1] + strip.height)
    sheet = Image.new("RGBA", (max(strip.width for strip in strips), edges[-1]), (0, 0, 0, 0))
    for strip, y in zip(strips, edges, strict=False):
        sheet.paste(strip, (0, y))
    return sheet, edges[:-1]


def save_webp(path: Path, image: Image.Image) -> None:
    """Write an RGBA image as WebP: without loss, or at high quality where that is smaller.

    Enlarged pixels and flat colours, as of digits, are several times smaller without loss; photographs with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    forms = []
    for settings in ({"lossless": True}, {"lossless": False, "quality": _QUALITY}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", method=4, **settings)
        forms.append(buffer.getvalue())
    path.write_bytes(min(forms, key=len))
