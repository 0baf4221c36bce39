"""Whole images: what the network saw of each image that excites a unit, drawn once for all that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contents.parts import Scene, SpriteSheet, WholeImage
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.webp import HIGHEST, save_webp
from pipeline.formats.patches import Context, PatchesFile
from pipeline.parallel.threads import ordered

UInt8 = NDArray[np.uint8]
Box = tuple[float, float, float, float]

FOLDER = "images"
# A page loads the whole sheet of each image that it shows, so a sheet holds few images; but a file for each
# would be too many where there are tens of thousands.
MOST_SHEETS = 1500
_QUALITY = 80  # of 100: 4 kB for a photograph of 128 pixels


@dataclass(frozen=True)
class Placed:
    """A whole image among those of its section.

    Attributes
    ----------
    place
        In the section's list.
    width, height
        Pixels.
    scale, x, y
        A point of the original image lies in it at ``point * scale + (x, y)``.
    """

    place: int
    width: int
    height: int
    scale: float
    x: float
    y: float

    def box(self, box: NDArray[np.floating[Any]]) -> Box:
        """Return a box of the original image in pixels of this one, cut off at its edges."""
        return self.inside(np.asarray(box, np.float64) * self.scale + (self.x, self.y, self.x, self.y))

    def inside(self, box: NDArray[np.float64]) -> Box:
        """Cut a box in pixels of this image off at its edges."""
        x0, y0, x1, y1 = np.clip(box, 0, (self.width, self.height) * 2).round(1).tolist()
        return x0, y0, x1, y1


class WholeImages(dict[int, Placed]):
    """Image id to whole image; one that could not be read is not there."""

    def scene(self, image_id: int, value: float, box: NDArray[np.float32], *, marked: bool = False) -> Scene:
        """Frame a box in the whole image.

        Parameters
        ----------
        image_id, value
            The image, and the activation.
        box
            x0, y0, x1, y1 in pixels of the original image.
        marked
            Whether the box's middle is marked.
        """
        if image_id not in self:
            return Scene(value=value, box=(0, 0, 0, 0))
        placed = self[image_id]
        middle = np.tile((box[:2] + box[2:]) / 2, 2)
        point = placed.box(middle)[:2] if marked else None
        return Scene(image=placed.place, value=value, box=placed.box(box), point=point)


def draw_whole_images(
    section: SectionDraft, source: PatchesFile, image_id: NDArray[np.int64], *, threads: int
) -> WholeImages:
    """Draw images, each once, and add them to a section.

    Parameters
    ----------
    section
        Its sheets and whole images; the files go into its folder.
    source
        Where the images come from.
    image_id
        (n,) in the order in which they are shown, repeated as they are, -1 in empty places. Images that are
        shown together lie together.
    threads
        Sheets drawn at once; changes no result.
    """
    side, found = source.about.picture, WholeImages()

    def draw(job: tuple[int, list[int]]) -> tuple[SpriteSheet, dict[int, Cut]] | None:
        number, run = job
        contexts = {one: source.context(one) for one in run}
        cuts = {one: cut(context) for one, context in contexts.items() if context}
        if not cuts:
            return None
        name = f"{FOLDER}/{number:04}.webp"
        sheet = _sheet([one.pixels for one in cuts.values()], side)
        save_webp(section.folder / name, sheet, quality=_QUALITY)
        return SpriteSheet(file=name, width=sheet.width, height=sheet.height), cuts

    for drawn in ordered(draw, enumerate(_runs(image_id, side)), threads=threads):
        if drawn:
            section.sheets.append(drawn[0])
            _place(section, found, drawn[1], side)
    return found


@dataclass(frozen=True)
class Cut:
    """What the network saw of an image, (h, w, 3) uint8; scale, x, y as in `Placed`."""

    pixels: UInt8
    scale: float
    x: float
    y: float


def cut(context: Context) -> Cut:
    """Cut a context to what the network saw."""
    x, y = (float(one) for one in context.offset)
    edges = np.asarray(context.view, np.float64) * context.scale + (x, y, x, y)
    left, top, right, bottom = np.clip(edges.round().astype(int), 0, len(context.pixels)).tolist()
    pixels = context.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    return Cut(pixels, context.scale, x - left, y - top)


def _runs(image_id: NDArray[np.int64], side: int) -> Iterator[list[int]]:
    """Yield the images of each sheet: as they are first shown, as few to a sheet as there may be sheets."""
    shown, first = np.unique(image_id[image_id >= 0], return_index=True)
    wanted = shown[np.argsort(first)].tolist()
    step = min(max(1, -(-len(wanted) // MOST_SHEETS)), HIGHEST // side)
    for start in range(0, len(wanted), step):
        yield wanted[start : start + step]


def _sheet(pictures: Sequence[UInt8], side: int) -> Image.Image:
    """Put pictures below each other, each in a cell; one alone takes no more room than it needs."""
    if len(pictures) == 1:
        return Image.fromarray(pictures[0])
    # Its edge goes on beside a picture: a step there would cost bytes, and show through.
    cells = [
        np.pad(one, ((0, side - one.shape[0]), (0, side - one.shape[1]), (0, 0)), "edge") for one in pictures
    ]
    return Image.fromarray(np.concatenate(cells))


def _place(section: SectionDraft, found: WholeImages, cuts: dict[int, Cut], side: int) -> None:
    """Note where the images of the section's last sheet lie."""
    for row, (image_id, one) in enumerate(cuts.items()):
        height, width = one.pixels.shape[:2]
        found[image_id] = Placed(len(section.whole_images), width, height, one.scale, one.x, one.y)
        section.whole_images.append(WholeImage(
            image_id=image_id, sheet=len(section.sheets) - 1, x=0, y=row * side, width=width, height=height,
        ))  # fmt: skip
