"""How a number is spread over the units of each layer: a row a layer, darker where more units are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.extremes import extremes
from pipeline.numerics.spreading import evenly_spread
from pipeline.store.tables import write_table

BINS = 50
# More rows than this cannot be read on a page; the file has all.
MOST_ROWS = 60


@dataclass(frozen=True)
class Distribution:
    """Shares, 0 to 1, of the units of some layers.

    Attributes
    ----------
    name
        Of the figure, and of its caption.
    axis
        What the shares are, below the figure.
    values
        By layer: those of the units that have one.
    beside
        By layer: one more number, drawn as a ring; those of layers that have one.
    whole
        What the axis calls all: 1, or 100 where it is in per cent.
    """

    name: str
    axis: str
    values: Mapping[str, NDArray[Any]]
    beside: Mapping[str, float]
    whole: int = 1

    def middles(self) -> dict[str, Number]:
        """Return the median over all units, and the layers whose own medians are the least and the most."""
        of_layer = {name: float(np.median(values)) for name, values in self.values.items()}
        return {"median": float(np.median(np.concatenate([*self.values.values()]))), **extremes(of_layer)}

    def figure(self, folder: Path, numbers: Mapping[str, Number]) -> blocks.Figure:
        """Draw it into a folder; `numbers` are for its caption."""
        layers = self._shown()
        write_table(folder / f"{self.name}.csv", ("layer", "from", "to", "units"), self._lines())
        files = plot(
            folder, self.name, (4.4, 0.8 + 0.22 * len(layers)), lambda f, t: self._paint(f, t, layers)
        )
        units = sum(map(len, self.values.values()))
        return blocks.Figure(
            id=self.name, caption=self.name, data=f"{self.name}.csv", evidence=Evidence(n=units, of="units"),
            numbers={"rows": len(layers), "rows_of": len(self.values), **numbers}, **files,
        )  # fmt: skip

    def _shown(self) -> list[str]:
        """Return the layers that have a row: all, or of too many some, spread evenly."""
        return evenly_spread(list(self.values), MOST_ROWS)

    def _counts(self, layer: str) -> NDArray[np.int64]:
        return np.histogram(self.values[layer], BINS, (0, 1))[0]

    def _lines(self) -> Iterator[Sequence[object]]:
        for layer in self.values:
            for place, units in enumerate(self._counts(layer).tolist()):
                yield layer, place / BINS, (place + 1) / BINS, units

    def _paint(self, figure: Figure, theme: Theme, layers: Sequence[str]) -> None:
        axes = figure.add_subplot()
        share = np.stack([self._counts(layer) / max(len(self.values[layer]), 1) for layer in layers])
        pixels = np.empty((*share.shape, 4))
        pixels[..., :3] = to_rgb(theme.accent)
        # The root, so that single units of many can still be seen.
        pixels[..., 3] = np.sqrt(share)
        axes.imshow(
            pixels, extent=(0, self.whole, len(layers) - 0.5, -0.5), aspect="auto", interpolation="nearest"
        )
        rows = np.arange(len(layers))
        middle = [self.whole * np.median(self.values[layer]) for layer in layers]
        axes.plot(middle, rows, "|", color=theme.contrast, markersize=9, markeredgewidth=2.2)
        ringed = [
            (self.whole * self.beside[layer], row) for row, layer in enumerate(layers) if layer in self.beside
        ]
        if ringed:
            axes.plot(*zip(*ringed, strict=True), "o", color=theme.contrast, mfc="none", markersize=4.5)
        axes.set_yticks(rows, [ending(layer) for layer in layers])
        axes.set_xlim(-0.01 * self.whole, 1.01 * self.whole)
        axes.set_xlabel(self.axis)
        axes.hlines(rows[1:] - 0.5, 0, self.whole, color=theme.line, linewidth=0.7)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
