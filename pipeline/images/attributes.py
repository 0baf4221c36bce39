"""What an image looks like, in a few numbers of its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

LEVELS = 256
# Pixels that are worked on at once: memory does not grow with the image.
BAND = 1 << 19
# Levels of luma from one pixel to the next, of 255, above which a pixel lies on an edge.
EDGE = 16.0
# Of a colour's luma: ITU-R BT.601.
_RED, _GREEN, _BLUE = np.float32(0.299), np.float32(0.587), np.float32(0.114)


@dataclass(frozen=True)
class PixelAttributes:
    """Of one image; luma is that of ITU-R BT.601, 0 to 255.

    Attributes
    ----------
    brightness, contrast
        Mean and standard deviation of luma, divided by 255.
    sharpness
        Variance of luma's Laplacian (4 neighbours; Pech-Pacheco et al. 2000), inside of the outermost pixels;
        NaN of an image that has no inside.
    colourfulness
        Hasler & Süsstrunk 2003: 0 is grey, 109 extremely colourful.
    edge_density
        Share of the pixels inside of the outermost at which Sobel's gradient is above `EDGE` levels a pixel;
        NaN likewise.
    entropy
        Of the histogram of luma's 256 levels, bits.
    """

    brightness: float
    contrast: float
    sharpness: float
    colourfulness: float
    edge_density: float
    entropy: float


NAMES = tuple(one.name for one in fields(PixelAttributes))


def measure(rgb: UInt8) -> PixelAttributes:
    """Measure an image at its full size, a band of rows at a time.

    Parameters
    ----------
    rgb : (H, W, 3) uint8

    Returns
    -------
    PixelAttributes
    """
    luma, red_green, yellow_blue, laplace = (_Moments() for _ in range(4))
    levels, edges = np.zeros(LEVELS, np.int64), 0
    for rows, around in _bands(*rgb.shape[:2]):
        red, green, blue = (rgb[rows, :, channel].astype(np.float32) for channel in range(3))
        red_green.add(red - green)
        yellow_blue.add((red + green) / 2 - blue)
        grey = _luma(rgb[rows])
        luma.add(grey)
        levels += np.bincount(np.rint(grey).astype(np.uint8).ravel(), minlength=LEVELS)
        wide = _luma(rgb[around])
        if min(wide.shape) > 2:
            laplace.add(_laplacian(wide))
            edges += int(np.count_nonzero(_squared_gradient(wide) > EDGE**2))
    share = levels[levels > 0] / levels.sum()
    spread = np.hypot(red_green.deviation, yellow_blue.deviation)
    return PixelAttributes(
        luma.mean / 255, luma.deviation / 255, laplace.deviation**2,
        float(spread + 0.3 * np.hypot(red_green.mean, yellow_blue.mean)),
        edges / laplace.count if laplace.count else float("nan"),
        float(abs(share @ np.log2(share))),
    )  # fmt: skip


class _Moments:
    """Mean and standard deviation of values that come in parts; NaN of none."""

    def __init__(self) -> None:
        self.count, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, values: npt.NDArray[np.floating]) -> None:
        self.count += values.size
        self._sum += float(values.sum(dtype=np.float64))
        self._squares += float(np.square(values, dtype=np.float64).sum())

    @property
    def mean(self) -> float:
        return self._sum / self.count if self.count else float("nan")

    @property
    def deviation(self) -> float:
        square = self._squares / self.count - self.mean**2 if self.count else float("nan")
        return float(np.sqrt(np.maximum(square, 0.0)))


def _bands(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows that together are the image, and the same with a row more on either side where there is."""
    step = max(1, BAND // width)
    for start in range(0, height, step):
        yield slice(start, start + step), slice(max(start - 1, 0), start + step + 1)


def _luma(rgb: UInt8) -> Float32:
    return _RED * rgb[..., 0] + _GREEN * rgb[..., 1] + _BLUE * rgb[..., 2]


def _laplacian(luma: Float32) -> Float32:
    inside = luma[1:-1, 1:-1]
    return luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inside


def _squared_gradient(luma: Float32) -> Float32:
    """Return the square of Sobel's gradient, levels a pixel."""
    down = luma[:-2] + 2 * luma[1:-1] + luma[2:]
    across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    return np.square((down[:, 2:] - down[:, :-2]) / 8) + np.square((across[2:] - across[:-2]) / 8)
