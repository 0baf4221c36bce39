"""Atlases: the thumbnails of a map in the order of a curve over it, coarse ones for afar beside fine ones.

A page that shows a part of the map needs the few atlases of that part, and tiles that it draws small cost it
few bytes and little time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.figures.drawing.mosaic import lay_out
from pipeline.figures.drawing.webp import save_webp

Rows: TypeAlias = NDArray[np.integer]
Tiles: TypeAlias = Callable[[Rows, int], NDArray[np.uint8]]

SIDE = 1024  # pixels at most; decoded, an atlas takes 4 MB
COARSE = 16  # pixels, side of a coarse tile
QUALITY = 80  # of 100: 600 bytes for a photograph of 48 pixels, 100 for one of 16
# Where tiles are smaller than twice a coarse one, there are no coarse ones.
_FINE = 2 * COARSE
# Tiles read at once: near ones on the map lie anywhere in the file, which is read once for all of these.
_AT_ONCE = 1 << 27  # bytes


def save_atlases(folder: Path, tiles: Tiles, rows: Rows, tile: int) -> list[dict[str, Any]]:
    """Write atlases of each level, coarse ones first, and return what a page must know of them.

    Parameters
    ----------
    folder
        Where they go.
    tiles
        Gives the tiles (n, side, side, 4) uint8 of some rows, in their order, at a side.
    rows
        In the order in which tiles are laid out, line by line, atlas by atlas.
    tile
        Side of a fine tile, pixels.

    Returns
    -------
    list of dict
        Of each level: `tile`, `columns` and `rows` of an atlas, the last of which may end early, `files`.
    """
    sides = [COARSE, tile] if tile >= _FINE else [tile]
    return [_save_level(folder, tiles, rows, side) for side in sides]


def _save_level(folder: Path, tiles: Tiles, rows: Rows, side: int) -> dict[str, Any]:
    across = max(1, SIDE // side)
    files = []
    for number, some in enumerate(_filled(tiles, rows, side, across**2)):
        index = np.arange(len(some))
        places = np.stack((index % across, index // across), axis=1) * side
        sheet = lay_out(some, places, across * side, -(-len(some) // across) * side)
        files.append(f"atlas-{side}-{number:03}.webp")
        save_webp(folder / files[-1], Image.fromarray(sheet), quality=QUALITY)
    return {"tile": side, "columns": across, "rows": across, "files": files}


def _filled(tiles: Tiles, rows: Rows, side: int, count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the tiles of each atlas, `count` at most."""
    step = max(1, _AT_ONCE // (4 * side**2 * count)) * count
    for first in range(0, len(rows), step):
        read = tiles(rows[first : first + step], side)
        for start in range(0, len(read), count):
            yield read[start : start + count]
