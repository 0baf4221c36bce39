"""A matrix of shares as shaded cells, its rows and columns named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending

# Of more cells in a row numbers cannot be read, of more still not every name.
MOST_WRITTEN = 10
MOST_NAMED = 24


def paint_matrix(
    figure: Figure,
    theme: Theme,
    matrix: NDArray[np.float64],
    names: Sequence[str],
    axes_names: tuple[str, str],
) -> None:
    """Draw a square matrix.

    Parameters
    ----------
    figure, theme
        As of `plotting.Paint`.
    matrix
        (L, L) values; the shade runs from 0 or less to 1, NaN is crossed out.
    names
        (L,) of rows and columns.
    axes_names
        What the rows are, and what the columns.
    """
    axes, count = figure.add_subplot(), len(names)
    pixels = np.empty((*matrix.shape, 4))
    pixels[..., :3], pixels[..., 3] = to_rgb(theme.accent), np.clip(np.nan_to_num(matrix), 0, 1)
    axes.imshow(pixels, interpolation="nearest", aspect="equal")
    for row, column in np.ndindex(matrix.shape):
        value = matrix[row, column]
        text = "×" if np.isnan(value) else f"{value:.2f}".replace("0.", ".").replace("-.00", ".00")
        if np.isnan(value) or count <= MOST_WRITTEN:
            ink = _legible(theme, float(np.clip(np.nan_to_num(value), 0, 1)))
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    ticks = range(0, count, -(-count // MOST_NAMED))
    labels = [ending(names[tick], 20) for tick in ticks]
    axes.set_xticks(ticks, labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(ticks, labels, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(axes_names[0])
    axes.set_xlabel(axes_names[1])


def _legible(theme: Theme, opacity: float) -> str:
    """Return the ink that stands out more from a cell: of the page's ground, or of its text."""
    accent, paper, ink = (np.array(to_rgb(one)) for one in (theme.accent, theme.paper, theme.ink))
    ground = _luminance(opacity * accent + (1 - opacity) * paper)
    contrasts = [
        (max(ground, other) + 0.05) / (min(ground, other) + 0.05)
        for other in (_luminance(paper), _luminance(ink))
    ]
    return theme.paper if contrasts[0] > contrasts[1] else theme.ink


def _luminance(colour: NDArray[np.float64]) -> float:
    """Return the relative luminance of red, green and blue from 0 to 1, as WCAG 2 defines it."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
