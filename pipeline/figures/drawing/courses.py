"""Lines of layers from checkpoint to checkpoint, coloured from shallow to deep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending

# Of more lines the first, the middle and the last are named.
MOST_NAMED = 10
MOST_TICKS = 10
_MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Steps:
    """What checkpoints are called: (T,) names, and (T,) int64 epochs, -1 where one is not known."""

    name: Sequence[str]
    epoch: NDArray[np.int64]

    @property
    def numbered(self) -> bool:
        """Whether the epoch of each is known."""
        return bool((self.epoch >= 0).all())

    @property
    def labels(self) -> list[str]:
        """Their epochs, or their names where one's is not known: a number beside names would say nothing."""
        if self.numbered:
            return [str(epoch) for epoch in self.epoch.tolist()]
        return [ending(name, 12) for name in self.name]


@dataclass(frozen=True)
class Line:
    """A layer's numbers (T,), and the ends of their intervals where they have some."""

    value: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


def height(lines: int) -> float:
    """Return how high a figure of some lines is with its legend, inches."""
    return 2.7 + 0.2 * -(-min(lines, MOST_NAMED) // 2)


def paint_lines(figure: Figure, theme: Theme, steps: Steps, lines: Mapping[str, Line], axis: str) -> None:
    """Draw a line a layer, in the network's order, and a legend below.

    Parameters
    ----------
    figure, theme
        As of `plotting.Paint`.
    steps
        Along the x axis, at even distances.
    lines
        Name of the layer to its line.
    axis
        What the y axis is called.
    """
    axes = figure.add_subplot()
    depth = LinearSegmentedColormap.from_list("depth", [theme.accent, theme.soft, theme.contrast])
    names = list(lines)
    named = {*names} if len(names) <= MOST_NAMED else {names[0], names[len(names) // 2], names[-1]}
    place = np.arange(len(steps.name))
    for number, (name, line) in enumerate(lines.items()):
        colour = depth(number / max(1, len(names) - 1))
        if line.low is not None and line.high is not None:
            axes.fill_between(place, line.low, line.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            place, line.value, color=colour, linewidth=1.3, marker=_MARKERS[number % 5], markersize=3,
            label=ending(name, 20) if name in named else None,
        )  # fmt: skip
    by_step(axes, steps)
    axes.set_ylabel(axis)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, handlelength=1.5)


def by_step(axes: Axes, steps: Steps) -> None:
    """Label the x axis by checkpoints, some of them where there are many."""
    labels = steps.labels
    ticks = np.arange(0, len(labels), -(-len(labels) // MOST_TICKS))
    axes.set_xticks(ticks, [labels[tick] for tick in ticks])
    if max(map(len, labels)) > 4:
        for label in axes.get_xticklabels():
            label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")
    axes.set_xlabel("epoch" if steps.numbered else "checkpoint")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
