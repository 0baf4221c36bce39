"""Maps of attribution methods as panels, each drawn as its method is read, on a scale of its own.

- a gradient has no sign that means anything at a pixel: how large it is, black to white
- what came back by the rules of deconvnet and guided backpropagation is a picture: grey is zero
- what speaks for or against the output lies over the image, orange or blue
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.attribution.importance import SIGNED, importance
from pipeline.figures.drawing.canvas import Canvas, Edge, Label, Pixels, fitted
from pipeline.figures.drawing.overlays.overlay import KEY_HEIGHT, key, overlay, scaled
from pipeline.figures.drawing.signals import full_scale, signal_pixels
from pipeline.figures.drawing.tiles import format_value, framed

UInt8 = NDArray[np.uint8]

SIGNALS = ("deconvnet", "guided_backprop")
# Its values sum to a difference of scores, and of a photograph's single pixels they are too small to be seen.
ADDED_UP = "integrated_gradients"
TITLES = {
    "saliency": "Saliency", "deconvnet": "Deconvnet", "guided_backprop": "Guided backprop",
    "integrated_gradients": "Integrated gradients", "smoothgrad": "SmoothGrad", "grad_cam": "Grad-CAM",
}  # fmt: skip
SIDE = 156  # pixels, longer side of a panel: two fit a phone
GAP = 12  # pixels between panels
_SMALL, _BETWEEN = (
    80,
    4,
)  # pixels: longer side of a panel in a column, four of which fit a phone, and between two
_FINEST = 64  # squares along the longer side in which what adds up is drawn
_ABREAST = 2  # panels in a line
_HEAD = 20  # pixels above a panel, for its title
_TITLE, _TEXT = 13, 12  # pixels, sizes of text
_BAR = 10  # pixels, height of a key's bar


@dataclass(frozen=True)
class Panel:
    """A picture of a map.

    Attributes
    ----------
    title
        What it is of.
    pixels : (H, W, 3) uint8
    full
        What full scale is; 0 where the map is zero everywhere; None for the image itself.
    method
        Whose map; empty for the image.
    signed
        Whether there is anything below zero.
    """

    title: str
    pixels: UInt8
    full: float | None = None
    method: str = ""
    signed: bool = True


def image_panel(picture: UInt8) -> Panel:
    """Return the panel of an image, (H, W, C) uint8, of one channel or of three."""
    return Panel("Image", np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3))))


def panel_of(method: str, values: NDArray[np.float32], picture: UInt8) -> Panel:
    """Draw a map.

    Parameters
    ----------
    method
        The method's name.
    values : (H, W, C)
        What it gave.
    picture : (H, W, C) uint8
        The image.
    """
    if method in SIGNALS:
        pixels = np.broadcast_to(signal_pixels(values), (*values.shape[:2], 3))
        return Panel(TITLES[method], np.ascontiguousarray(pixels), full_scale(values), method)
    matters = importance(method, values.transpose(2, 0, 1)[None])[0]
    if method == ADDED_UP:
        matters = added_up(matters, block_of(picture.shape[:2]))
    full = full_scale(matters)
    if method in SIGNED:
        pixels = overlay(picture, matters, full or 1)
        return Panel(TITLES[method], pixels, full, method, signed=bool((matters < 0).any()))
    grey = np.rint(255 * np.clip(matters / (full or 1), 0, 1)).astype(np.uint8)
    return Panel(TITLES[method], np.repeat(grey[..., None], 3, axis=2), full, method)


def block_of(shape: tuple[int, ...]) -> int:
    """Return the side of the squares that what adds up is drawn in, pixels: 1 on small images."""
    return -(-max(shape) // _FINEST)


def added_up(values: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """Give each pixel (H, W) the sum over the square that it lies in; at the ends squares may be cut."""
    high, wide = values.shape
    sums = np.add.reduceat(np.add.reduceat(values, range(0, high, block), 0), range(0, wide, block), 1)
    return sums.repeat(block, 0).repeat(block, 1)[:high, :wide]


def draw_panels(panels: Sequence[Panel]) -> Canvas:
    """Draw panels in lines, each with its title above and what its colours mean below."""
    pictures = [scaled(one.pixels, SIDE) for one in panels]
    high, wide = pictures[0].shape[:2]
    step = _HEAD + high + 6 + KEY_HEIGHT
    canvas = Canvas(_ABREAST * (wide + GAP), -(-len(panels) // _ABREAST) * step)
    for number, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        x, y = GAP // 2 + (wide + GAP) * (number % _ABREAST), step * (number // _ABREAST) + _HEAD
        canvas.draw(Label(x, y - _HEAD + 2, panel.title, _TITLE, bold=True), *framed(x, y, picture))
        canvas.draw(*_key(panel, x, y + high + 6, wide))
    return canvas


def draw_columns(columns: Sequence[tuple[str, Sequence[Panel]]]) -> Canvas:
    """Draw a column of small panels for each image, its name above, and in a line its maps by one method."""
    pictures = [[scaled(one.pixels, _SMALL) for one in panels] for _, panels in columns]
    high, wide = pictures[0][0].shape[:2]
    head, step, across = _TEXT + 6, high + _TEXT + 14, wide + _BETWEEN
    canvas = Canvas(len(columns) * across, head + len(pictures[0]) * step)
    for line, panel in enumerate(columns[0][1]):
        canvas.draw(Label(1, head + line * step, panel.title, _TEXT, bold=True))
    for column, ((name, _), drawn) in enumerate(zip(columns, pictures, strict=True)):
        x = 1 + column * across
        canvas.draw(Label(x, 0, fitted(name, _TEXT, wide), _TEXT))
        for line, picture in enumerate(drawn):
            canvas.draw(*framed(x, head + line * step + _TEXT + 5, picture))
    return canvas


def _key(panel: Panel, x: int, y: int, width: int) -> list[Pixels | Edge | Label]:
    """Say what the colours of a panel mean."""
    if panel.full is None:
        return []
    if panel.full == 0:
        return [Label(x, y + 2, "zero everywhere", _TEXT)]
    text = format_value(panel.full)
    if panel.method in SIGNED:
        return key(x, y, width, f"−{text}" if panel.signed else "0", text, signed=panel.signed)
    signed = panel.method in SIGNALS
    levels = np.linspace(0 if not signed else 1, 255, width).round().astype(np.uint8)
    bar = np.repeat(np.repeat(levels[None, :, None], 3, axis=2), _BAR, axis=0)
    below = y + _BAR + 4
    ends = [Label(x, below, f"−{text}" if signed else "0", _TEXT)]
    ends += [Label(x + width, below, text, _TEXT, anchor="ra")]
    ends += [Label(x + width / 2, below, "0", _TEXT, anchor="ma")] if signed else []
    return [*framed(x, y, bar), *ends]
