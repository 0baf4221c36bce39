"""The dataset `letters`: rendered, seeded, and said to be so.

Capital letters in the typefaces that Matplotlib ships, of varied size, place, rotation, ink and contrast,
over crops of the two photographs that scikit-learn ships; some beside a smaller letter or over strokes, as
clutter. What was drawn is known to the pixel and goes into a CSV: the letter's box, and its attributes.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import matplotlib
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_image

SIDE = 64  # pixels
PER_CLASS = 160
SEED = 0
# File of the typeface, its name, its style.
TYPEFACES = (
    *((f"DejaVuSans{file}.ttf", "DejaVu Sans", style) for file, style in (
        ("", "regular"), ("-Bold", "bold"), ("-Oblique", "italic"), ("-BoldOblique", "bold italic"))),
    *((f"DejaVuSansMono{file}.ttf", "DejaVu Sans Mono", style) for file, style in (
        ("", "regular"), ("-Bold", "bold"), ("-Oblique", "italic"), ("-BoldOblique", "bold italic"))),
    *((f"DejaVuSerif{file}.ttf", "DejaVu Serif", style) for file, style in (
        ("", "regular"), ("-Bold", "bold"), ("-Italic", "italic"), ("-BoldItalic", "bold italic"))),
    *((f"STIXGeneral{file}.ttf", "STIX", style) for file, style in (
        ("", "regular"), ("Bol", "bold"), ("Italic", "italic"), ("BolIta", "bold italic"))),
    ("cmr10.ttf", "Computer Modern Roman", "regular"), ("cmb10.ttf", "Computer Modern Roman", "bold"),
    ("cmss10.ttf", "Computer Modern Sans", "regular"),
    ("cmtt10.ttf", "Computer Modern Typewriter", "regular"),
)  # fmt: skip
PHOTOGRAPHS = ("china", "flower")
HEIGHTS = (34, 58)  # of a letter, pixels
LARGEST_SHIFT = 5.0  # pixels
ROTATION = 8.0  # standard deviation, degrees
LEAST_CONTRAST = 240  # sum of absolute differences in red, green and blue
CLUTTERED = 0.3  # share of the images


@dataclass(frozen=True)
class Letter:
    """A rendered image and all that is known of it.

    Attributes
    ----------
    pixels : Image
        RGB, `SIDE` x `SIDE`.
    label
        The letter.
    box
        x0, y0, x1, y1 of its ink, pixels.
    attributes
        Name to value: typeface, style, height and rotation of the letter, contrast, background, clutter.
    """

    pixels: Image.Image
    label: str
    box: tuple[int, int, int, int]
    attributes: dict[str, str | int | float]


def letters(per_class: int = PER_CLASS, seed: int = SEED) -> Iterator[Letter]:
    """Render the dataset.

    Parameters
    ----------
    per_class
        Images of each letter, at least 1.
    seed
        Of all that varies; an image depends on seed, letter and number alone.

    Yields
    ------
    Letter
        A to Z, `per_class` of each.
    """
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    photographs = {name: Image.fromarray(load_sample_image(f"{name}.jpg")) for name in PHOTOGRAPHS}
    for place, label in enumerate(ascii_uppercase):
        for number in range(per_class):
            random = np.random.default_rng((seed, place, number))
            yield _render(label, folder, photographs, random)


def _render(label: str, folder: Path, photographs: dict[str, Image.Image], random: Generator) -> Letter:
    background = PHOTOGRAPHS[random.integers(len(PHOTOGRAPHS))]
    image = _crop(photographs[background], random)
    file, typeface, style = TYPEFACES[random.integers(len(TYPEFACES))]
    height = int(random.integers(HEIGHTS[0], HEIGHTS[1] + 1))
    rotation = float(np.clip(random.normal(0, ROTATION), -3 * ROTATION, 3 * ROTATION))
    shift = random.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2)
    mask = _mask(label, folder / file, height, rotation, SIDE / 2 + shift)
    clutter = _clutter(image, label, folder, random) if random.random() < CLUTTERED else "none"
    ink, contrast = _ink(np.asarray(image), np.asarray(mask) > 127, random)
    image.paste(ink, mask=mask)
    box = mask.point(lambda value: 255 if value > 127 else 0).getbbox()
    assert box is not None
    attributes: dict[str, str | int | float] = {
        "typeface": typeface, "style": style, "height": height, "rotation": round(rotation, 1),
        "contrast": contrast, "background": background, "clutter": clutter,
    }  # fmt: skip
    return Letter(image, label, box, attributes)


def _crop(photograph: Image.Image, random: Generator) -> Image.Image:
    """Cut a square of 64 to 256 pixels and bring it to the size of an image; half of them mirrored."""
    side = int(round(SIDE * math.exp(random.uniform(0, math.log(4)))))
    left, top = (int(random.integers(0, length - side + 1)) for length in photograph.size)
    piece = photograph.crop((left, top, left + side, top + side)).resize(
        (SIDE, SIDE), Image.Resampling.LANCZOS
    )
    return piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else piece


def _mask(
    label: str, typeface: Path, height: int, rotation: float, centre: NDArray[np.float64]
) -> Image.Image:
    """Draw a letter whose ink is `height` pixels high, turned about its centre, as coverage 0 to 255."""
    large = ImageFont.truetype(typeface, 4 * height)
    left, top, right, bottom = large.getbbox(label)
    size = 4 * height * height * 4 / (bottom - top)
    font = ImageFont.truetype(typeface, round(size))
    left, top, right, bottom = font.getbbox(label)
    sheet = Image.new("L", (4 * SIDE, 4 * SIDE))
    x, y = 4 * centre - ((left + right) / 2, (top + bottom) / 2)
    ImageDraw.Draw(sheet).text((x, y), label, fill=255, font=font)
    turned = sheet.rotate(rotation, Image.Resampling.BICUBIC, center=tuple((4 * centre).tolist()))
    return turned.resize((SIDE, SIDE), Image.Resampling.BOX)


def _ink(
    pixels: NDArray[np.uint8], covered: NDArray[np.bool_], random: Generator
) -> tuple[tuple[int, int, int], int]:
    """Draw a colour that differs enough from the mean of what it covers; return it and by how much."""
    behind = pixels[covered].mean(0)
    while True:
        colour = np.array(colorsys.hsv_to_rgb(random.random(), random.uniform(0, 1), random.uniform(0, 1)))
        ink = np.round(255 * colour).astype(int)
        contrast = int(np.abs(ink - behind).sum())
        if contrast >= LEAST_CONTRAST:
            red, green, blue = ink.tolist()
            return (red, green, blue), contrast


def _clutter(image: Image.Image, label: str, folder: Path, random: Generator) -> str:
    """Draw a smaller letter near a corner, or strokes, before the letter itself; return which."""
    colour = tuple(random.integers(0, 256, 3).tolist())
    if random.random() < 0.5:
        other = ascii_uppercase.replace(label, "")[random.integers(25)]
        file = TYPEFACES[random.integers(len(TYPEFACES))][0]
        corner = np.array([random.choice([9, SIDE - 9]), random.choice([9, SIDE - 9])], np.float64)
        image.paste(colour, mask=_mask(other, folder / file, 16, random.normal(0, ROTATION), corner))
        return "letter"
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(1, 4))):
        ends = random.integers(0, SIDE, 4).tolist()
        draw.line(ends, fill=colour, width=int(random.integers(1, 4)))
    return "strokes"
