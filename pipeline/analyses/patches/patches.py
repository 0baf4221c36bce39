"""Patches: the part of an image that made a unit respond, cut from the original pixels.

`cut_patch` makes one patch, `context` the network's view of a whole image. `Wanted` lists the patches to be
cut; `draw` decodes each image once, cuts all its patches, and leaves them in a scratch file on disk,
where they can be read in that order however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.formats.patches import Context
from pipeline.images.decoding import ImageError
from pipeline.images.resampling import Window, fitting_scale, resample
from pipeline.numerics.scratch import on_disk
from pipeline.parallel.threads import ordered
from pipeline.topk.boxes import shown_box

UInt8 = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]
Box = tuple[float, float, float, float]
Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Patch:
    """A square cut from an image.

    Attributes
    ----------
    pixels
        (S, S, 3) uint8, 0 where the unit saw nothing of the image.
    mask
        (S, S) uint8, 1 where it saw the image.
    scale
        Patch pixels per pixel of the original image.
    """

    pixels: UInt8
    mask: UInt8
    scale: float


@dataclass(frozen=True)
class Wanted:
    """The patches that are wanted: places, in the order in which they will be read back.

    Attributes
    ----------
    image_id
        (T,) int64, -1 for a place that stays empty.
    box
        (T, 4) float32, x0, y0, x1, y1 in pixels of the original image, unclipped.
    size
        Side of a patch, pixels.
    context
        Side of a context, pixels.
    """

    image_id: Ids
    box: Boxes
    size: int
    context: int


@dataclass(frozen=True)
class Drawn:
    """What was drawn of one image.

    Attributes
    ----------
    image_id
        Its row in the manifest.
    places
        The places that want it.
    patches
        One for each of these places; none if it could not be read.
    context
        The network's view of it; None if it could not be read.
    problem
        Why it could not be read; empty if it could.
    """

    image_id: int
    places: npt.NDArray[np.intp]
    patches: Sequence[Patch] = ()
    context: Context | None = None
    problem: str = ""


@dataclass(frozen=True)
class Scratch:
    """The wanted patches, on disk: pixels (T, S, S, 3) and mask (T, S, S) uint8, scale (T,) float32."""

    pixels: UInt8
    mask: UInt8
    scale: npt.NDArray[np.float32]


def cut_patch(rgb: UInt8, box: Sequence[float] | Boxes, view: Box, size: int) -> Patch:
    """Cut a box out of an image, or what the network saw of it, and bring its longer side to `size` pixels.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The original image.
    box : sequence of four float
        x0, y0, x1, y1 in pixels of the image; may leave it.
    view : tuple of float
        The part of the image that the network saw, likewise.
    size : int
        Side of the patch, pixels.

    Returns
    -------
    Patch
        Along an axis in which the box is longer than the view, the patch shows all of the view
        (`pipeline.topk.boxes.shown_box`). A box that is not square is centred. Beside it, outside the view
        and outside the image the mask is 0; there no pixel of the image is used. Resampled by area
        (`pipeline.images.resampling`).
    """
    x0, y0, x1, y1 = shown_box(box, view)
    scale = fitting_scale(x1 - x0, y1 - y0, size)
    half = size / scale / 2
    window = Window((x0 + x1) / 2 - half, (y0 + y1) / 2 - half, scale, size, size)
    seen = max(x0, view[0]), max(y0, view[1]), min(x1, view[2]), min(y1, view[3])
    pixels, inside = resample(rgb, window, seen)
    return Patch(pixels, inside.astype(np.uint8), scale)


def context(rgb: UInt8, view: Box, size: int) -> Context:
    """Draw what the network saw of an image into the middle of a square.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The original image.
    view : tuple of float
        x0, y0, x1, y1 in pixels of the image: the part that the network saw.
    size : int
        Side of the square, pixels.

    Returns
    -------
    Context
        Resampled by area.
    """
    scale = fitting_scale(view[2] - view[0], view[3] - view[1], size)
    half = size / scale / 2
    x0, y0 = (view[0] + view[2]) / 2 - half, (view[1] + view[3]) / 2 - half
    pixels, _ = resample(rgb, Window(x0, y0, scale, size, size), view)
    return Context(pixels, scale, (-x0 * scale, -y0 * scale), view)


@contextmanager
def scratch(folder: Path, wanted: Wanted) -> Iterator[Scratch]:
    """Hold the wanted patches in unnamed files, so that memory does not grow with their number.

    Parameters
    ----------
    folder : Path
        Where the files lie while they are used.
    wanted : Wanted

    Yields
    ------
    Scratch
        All zero: nothing seen.

    Raises
    ------
    UserError
        If the disk has no room for them.
    """
    count, size = len(wanted.image_id), wanted.size
    remedy = "lower patches.units or patches.side"
    with (
        on_disk(folder, (count, size, size, 3), np.uint8, remedy=remedy) as pixels,
        on_disk(folder, (count, size, size), np.uint8, remedy=remedy) as mask,
    ):
        yield Scratch(pixels, mask, np.zeros(count, np.float32))


def draw(
    wanted: Wanted,
    into: Scratch,
    read: Callable[[int], UInt8],
    view: Callable[[int, int], Box],
    *,
    threads: int,
) -> Iterator[Drawn]:
    """Decode each wanted image once, leave its patches in `into`, and yield its context.

    Parameters
    ----------
    wanted : Wanted
    into : Scratch
        Of the same places; complete when the iteration has ended.
    read : callable
        The original image of an image id, or an `ImageError`; is called from several threads.
    view : callable
        The box that the network sees of an image of this width and height.
    threads : int
        Images that are worked on at once; changes no result.

    Yields
    ------
    Drawn
        For each image once, by ascending image id. One that cannot be read (`ImageError`) leaves its places
        as they are and says why.
    """

    def draw_image(job: tuple[int, npt.NDArray[np.intp]]) -> Drawn:
        image_id, places = job
        try:
            rgb = read(image_id)
        except ImageError as error:
            return Drawn(image_id, places, problem=str(error))
        seen = view(rgb.shape[1], rgb.shape[0])
        patches = [cut_patch(rgb, wanted.box[place], seen, wanted.size) for place in places]
        return Drawn(image_id, places, patches, context(rgb, seen, wanted.context))

    for drawn in ordered(draw_image, _places(wanted.image_id), threads=threads):
        for place, patch in zip(drawn.places, drawn.patches, strict=False):
            into.pixels[place], into.mask[place], into.scale[place] = patch.pixels, patch.mask, patch.scale
        yield drawn


def _places(image_id: Ids) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each image once with the places that want it, ascending."""
    order = np.argsort(image_id, kind="stable")
    if not order.size:
        return
    ids, starts = np.unique(image_id[order], return_index=True)
    for number, places in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        if number >= 0:
            yield number, places
