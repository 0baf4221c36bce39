"""Many strips on a few sheets: a file a strip would be thousands of files."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

# A page that shows one strip loads its whole sheet: of photographs rich in detail, this is half a megabyte.
_LARGEST = 1_500_000  # pixels
_HIGHEST = 16_383  # pixels, the most that WebP can hold
_QUALITY = 90  # of 100
# Bytes a pixel without loss; photographs take more than one, enlarged pixels of digits less than a fiftieth.
_SMALL = 0.2


def strips_a_sheet(width: int, height: int) -> int:
    """Return how many strips of a size, pixels, share a sheet."""
    return max(1, min(_LARGEST // (width * height), _HIGHEST // height))


def save_sheet(path: Path, strips: Sequence[Image.Image]) -> tuple[int, int, list[int]]:
    """Put strips below each other and write them as one WebP.

    Without loss, or at high quality where that is smaller: enlarged pixels and flat colours, as of digits,
    are several times smaller without loss, photographs with.

    Parameters
    ----------
    path
        The file; its folder is made.
    strips
        RGBA images, at least one.

    Returns
    -------
    width, height : int
        Of the sheet, pixels.
    y : list of int
        The upper edge of each strip; all begin at the left.
    """
    edges = [0, *itertools.accumulate(strip.height for strip in strips)]
    sheet = Image.new("RGBA", (max(strip.width for strip in strips), edges[-1]), (0, 0, 0, 0))
    for strip, y in zip(strips, edges, strict=False):
        sheet.paste(strip, (0, y))
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = _encoded(sheet, lossless=True)
    if len(encoded) > _SMALL * sheet.width * sheet.height:
        encoded = min(encoded, _encoded(sheet, lossless=False), key=len)
    path.write_bytes(encoded)
    return *sheet.size, edges[:-1]


def _encoded(image: Image.Image, *, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", method=4, lossless=lossless, quality=_QUALITY)
    return buffer.getvalue()
