"""Many strips on a few sheets: a file a strip would be thousands of files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipeline.figures.drawing.webp import HIGHEST, SMALL, save_webp

# A page that shows one strip loads its whole sheet: four strips of nine patches, at most 0.1 MB.
_LARGEST = 360_000  # pixels
# Of photographs; at 90 a sheet takes a quarter more, and none of 96 pixels looks better.
QUALITY = 84


def strips_a_sheet(width: int, height: int) -> int:
    """Return how many strips of a size, pixels, share a sheet."""
    return max(1, min(_LARGEST // (width * height), HIGHEST // height))


def save_sheet(
    path: Path, strips: Sequence[Image.Image], quality: int = QUALITY, *, small: float = SMALL
) -> tuple[int, int, list[int]]:
    """Put strips below each other and write them as one WebP.

    Parameters
    ----------
    path
        The file; its folder is made.
    strips
        RGBA images, at least one.
    quality, small
        As of `save_webp`.

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
    save_webp(path, sheet, quality, small=small)
    return *sheet.size, edges[:-1]
