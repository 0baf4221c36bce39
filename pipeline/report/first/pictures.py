"""Small pictures for the first page: figures of a card's size, and the strip of units on one sprite.

A card that showed its section's figure as it is would make the first view megabytes. What is opened here was
drawn by this project; images of people's are opened by `pipeline.images.decoding` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipeline.contents.parts import Strip
from pipeline.figures.drawing.webp import save_webp
from pipeline.report.addresses import address
from pipeline.report.collecting import Worded
from pipeline.report.unit_shown import Glimpse

FOLDER = "first"
# Of a card's picture, pixels: twice what the page shows, for dense screens.
CARD = (480, 270)
# Of the map, in the same way.
MAP = (840, 840)
# Side of a patch in the strip, pixels; the page shows 64.
PATCH = 96
QUALITY = 80
# Of a diagram's height and width: of a taller one, such as of many layers, the card shows the upper part.
TALL = 1.4
# Of a card that shows single images: lines of them.
MOSAIC_ROWS = 3


def card_pictures(
    report: Path, section: Worded, image: str, dark: str | None = None
) -> dict[str, str | None]:
    """Write a section's picture as small as a card shows it, and its dark form where it has one.

    A diagram is shown whole, unless it is tall. Of a sheet of many pictures, which has no dark form, the
    upper part fills the card: reduced as a whole, nothing could be made out on it.

    Parameters
    ----------
    report
        The report's folder, in which the section's files lie already.
    section
        The section; its name becomes the pictures'.
    image, dark
        Files of the section.

    Returns
    -------
    dict
        ``image`` and ``dark`` as addresses from the first page; None where there is none.
    """
    made: dict[str, str | None] = {}
    for form, file in (("image", image), ("dark", dark)):
        picture = _read(report / section.folder / file) if file else None
        name = f"{FOLDER}/{section.name}{'-dark' if form == 'dark' else ''}.webp"
        made[form] = address(name) if picture else None
        if picture:
            save_webp(report / name, _fitted(picture, whole=dark is not None), QUALITY)
    return made


def card_mosaic(report: Path, section: Worded, files: Sequence[str]) -> dict[str, str | None]:
    """Write the first of a section's pictures side by side, as large as a card, and return its address.

    Each is cut to the square in its middle. `report` and `section` as of `card_pictures`.
    """
    side, columns = CARD[1] // MOSAIC_ROWS, CARD[0] // (CARD[1] // MOSAIC_ROWS)
    shown = [one for file in files[: columns * MOSAIC_ROWS] if (one := _read(report / section.folder / file))]
    mosaic = Image.new("RGBA", (columns * side, -(-len(shown) // columns) * side))
    for place, picture in enumerate(shown):
        tile = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
        mosaic.paste(tile, (place % columns * side, place // columns * side))
    name = f"{FOLDER}/{section.name}.webp"
    save_webp(report / name, mosaic, QUALITY)
    return {"image": address(name), "dark": None}


def map_picture(report: Path, section: Worded, image: str) -> str:
    """Write a picture of the map as large as dense screens show it, and return its address."""
    picture = _read(report / section.folder / image)
    if picture is None:
        return address(section.folder + image)
    picture.thumbnail(MAP, Image.Resampling.LANCZOS)
    save_webp(report / FOLDER / "map.webp", picture, QUALITY)
    return address(f"{FOLDER}/map.webp")


def _read(path: Path) -> Image.Image | None:
    """Read a picture with its transparency; None where Pillow takes it for a bomb: of thousands of units."""
    try:
        with Image.open(path) as image:
            return image.convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _fitted(picture: Image.Image, *, whole: bool) -> Image.Image:
    width, height = CARD
    # A single image is no sheet of many.
    whole = whole or picture.width == picture.height <= width
    if not whole or picture.height > TALL * picture.width:
        picture = picture.crop(
            (0, 0, picture.width, min(picture.height, round(picture.width * height / width)))
        )
    picture.thumbnail(CARD, Image.Resampling.LANCZOS)
    return picture


def write_strip(report: Path, strips: Sequence[Glimpse], pictures: int) -> str:
    """Write the first pictures of some strips as one sprite, a line a strip, and return its address.

    Parameters
    ----------
    report
        The report's folder, in which the sections' files lie already.
    strips
        Of each line; their pictures can be told apart.
    pictures
        Places in a line; a strip that has fewer leaves the last ones empty.
    """
    sheet = np.zeros((len(strips) * PATCH, pictures * PATCH, 4), np.uint8)
    for line, (section, source, strip) in enumerate(strips):
        with Image.open(report / section.folder / source.file) as image:
            pixels = np.asarray(image.convert("RGBA"))
        for place, tile in enumerate(_tiles(pixels, strip)[:pictures]):
            y, x = line * PATCH, place * PATCH
            sheet[y : y + PATCH, x : x + PATCH] = tile
    name = f"{FOLDER}/strip.webp"
    save_webp(report / name, Image.fromarray(sheet), QUALITY)
    return address(name)


def _tiles(pixels: np.ndarray, strip: Strip) -> list[np.ndarray]:
    """Return the pictures of a strip, each (PATCH, PATCH, 4) uint8."""
    tiles = strip.tiles
    assert tiles is not None, "chosen so"
    found = []
    for place in range(tiles.count):
        row, column = divmod(place, tiles.columns)
        x, y = strip.x + tiles.edge + column * tiles.step, strip.y + tiles.edge + row * tiles.step
        tile = Image.fromarray(pixels[y : y + tiles.side, x : x + tiles.side])
        found.append(np.asarray(tile.resize((PATCH, PATCH), Image.Resampling.LANCZOS)))
    return found
