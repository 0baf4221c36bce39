"""Four panels: an image with the square that matters most, and what covering each place does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.figures.drawing.canvas import INK, Canvas, Label, Rectangle
from pipeline.figures.drawing.overlays.overlay import KEY_HEIGHT, key, muted, overlay, scaled
from pipeline.figures.drawing.palette import SEQUENCE
from pipeline.figures.drawing.tiles import format_value, framed

Number = TypeVar("Number", np.float64, np.int64)

SIDE = 156  # pixels, longer side of a panel: two fit a phone
GAP = 10  # pixels between panels
LEAST_FALL = 0.05  # of the probability: full scale is never finer, so that noise is not drawn as a finding
LEAST_SHARE = 0.05  # the same of the activation, as a share of what it was
_HEAD = 20  # pixels above a panel, for its title
_TITLE, _TEXT = 13, 12  # pixels, sizes of text
_REST = (150, 150, 150)  # of the labels that have no colour of their own


@dataclass(frozen=True)
class Panels:
    """What is drawn of one image and one size of the square.

    Attributes
    ----------
    picture : (H, W, C) uint8
        As the network sees it.
    window
        Side of the square, pixels.
    y, x : (ny,), (nx,)
        Where it begins.
    colour
        What it is filled with, 0 to 255, a number a channel; None where that is no one colour: it is framed.
    fall : (ny, nx)
        By how much the probability falls.
    labels : (ny, nx)
        Rank of the most probable label among those that are not the image's own; -1 where it is that.
    rise : (ny, nx)
        Of the activation, as a share of what it was; NaN where there is none.
    scales
        Full scale of `fall` and of `rise`.
    """

    picture: NDArray[np.uint8]
    window: int
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    colour: tuple[float, ...] | None
    fall: NDArray[np.floating]
    labels: NDArray[np.int64]
    rise: NDArray[np.floating]
    scales: tuple[float, float]


def draw(panels: Panels) -> Canvas:
    """Draw image, fall of the probability, most probable labels, and activation where there is one."""
    fall, rise = panels.scales
    high, wide = scaled(muted(panels.picture), SIDE).shape[:2]
    step = _HEAD + high + 6 + KEY_HEIGHT
    corners = [(GAP // 2 + (wide + GAP) * (number % 2), step * (number // 2) + _HEAD) for number in range(4)]
    canvas = Canvas(2 * (wide + GAP), 2 * step)
    _draw_image(canvas, *corners[0], panels)
    _draw_map(canvas, *corners[1], "Probability", panels, (panels.fall, fall, ("rises ", "falls ")))
    _draw_labels(canvas, *corners[2], panels)
    if np.isfinite(panels.rise).any():
        gone = (-panels.rise, rise, ("rises ", "falls "))
        _draw_map(canvas, *corners[3], "Activation", panels, gone)
    return canvas


def by_pixel(values: NDArray[Number], panels: Panels, outside: float) -> NDArray[Number]:
    """Return (H, W), of each pixel the value of the place whose middle is nearest, or `outside`."""
    rows, down = _nearest(panels.y + panels.window / 2, panels.picture.shape[0])
    columns, across = _nearest(panels.x + panels.window / 2, panels.picture.shape[1])
    known = down[:, None] & across
    found = values[np.ix_(rows, columns)]
    found[~known] = outside
    return found


def _nearest(middles: NDArray[np.floating], length: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return each pixel's nearest middle, and whether it is within half a step of one."""
    pixels = np.arange(length) + 0.5
    distance = np.abs(pixels[:, None] - middles)
    step = float(np.diff(middles).max()) if len(middles) > 1 else 2.0 * length
    return distance.argmin(1), distance.min(1) <= step / 2


def _draw_map(
    canvas: Canvas,
    x: int,
    y: int,
    title: str,
    panels: Panels,
    shown: tuple[NDArray[np.floating], float, tuple[str, str]],
) -> None:
    values, largest, (low, high) = shown
    pixels = overlay(panels.picture, by_pixel(values.astype(np.float64), panels, np.nan), largest)
    picture = scaled(pixels, SIDE)
    canvas.draw(Label(x, y - _HEAD + 2, title, _TITLE, bold=True), *framed(x, y, picture))
    text = format_value(largest)
    canvas.draw(*key(x, y + len(picture) + 6, picture.shape[1], low + text, high + text))


def _draw_image(canvas: Canvas, x: int, y: int, panels: Panels) -> None:
    """Draw the image, covered where the probability falls most."""
    row, column = np.unravel_index(int(panels.fall.argmax()), panels.fall.shape)
    top, left = int(panels.y[row]), int(panels.x[column])
    rgb = np.array(np.broadcast_to(panels.picture, (*panels.picture.shape[:2], 3)))
    if panels.colour is not None:
        rgb[top : top + panels.window, left : left + panels.window] = np.round(panels.colour)
    picture, scale = scaled(rgb, SIDE), SIDE / max(rgb.shape[:2])
    canvas.draw(Label(x, y - _HEAD + 2, "Image", _TITLE, bold=True), *framed(x, y, picture))
    x0, y0, side = x + left * scale, y + top * scale, panels.window * scale
    canvas.draw(Rectangle(x0, y0, x0 + side, y0 + side))
    note = f"square of {panels.window} pixels"
    canvas.draw(Label(x, y + len(picture) + 8, note, _TEXT))


def _draw_labels(canvas: Canvas, x: int, y: int, panels: Panels) -> None:
    """Draw where the most probable label is another, a colour each."""
    ranks = by_pixel(panels.labels, panels, -2)
    ground = muted(panels.picture)
    ground[ranks == -2] = ground[ranks == -2] * 0.6
    for rank in range(int(panels.labels.max(initial=-1)) + 1):
        ground[ranks == rank] = ground[ranks == rank] * 0.3 + np.array(_ink(rank)) * 0.7
    picture = scaled(ground, SIDE)
    canvas.draw(Label(x, y - _HEAD + 2, "Most probable label", _TITLE, bold=True), *framed(x, y, picture))
    below = y + len(picture) + 8
    for rank in range(int(panels.labels.max(initial=-1)) + 1):
        swatch = np.full((12, 12, 3), _ink(rank), np.uint8)
        canvas.draw(*framed(x + 36 * rank, below, swatch))
        canvas.draw(Label(x + 36 * rank + 17, below, str(rank + 1), _TEXT, colour=INK))
    if panels.labels.max(initial=-1) < 0:
        canvas.draw(Label(x, below, "the same everywhere", _TEXT))


def _ink(rank: int) -> tuple[int, int, int]:
    if rank >= 4:
        return _REST
    code = SEQUENCE[rank]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
