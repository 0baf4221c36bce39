"""Curves of methods beside each other: as pixels of images go and come, and as weights are shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.figures.drawing.palette import MARKERS, Theme, colour
from pipeline.figures.drawing.plotting import ending
from pipeline.figures.drawing.scales import up_to

Float64: TypeAlias = NDArray[np.float64]
# (S, 3) each: mean and interval of deletion and of insertion at each step.
Courses: TypeAlias = tuple[Float64, Float64]
# (L, 3), mean and interval at each step.
Likeness: TypeAlias = Float64
_TITLES = ("deletion: lower is better", "insertion: higher is better")


def paint_courses(
    figure: Figure, theme: Theme, share: Float64, means: Mapping[str, Courses], beside: Sequence[str]
) -> None:
    """Draw the curves of deletion and of insertion.

    Parameters
    ----------
    figure, theme
        As of `plotting.Paint`.
    share
        (S,) of pixels.
    means
        Name of the order to its curves.
    beside
        Of the orders that are no method's, which are drawn in ink; the last one with its interval.
    """
    axes = figure.subplots(1, 2, sharey=True)
    for way, one in enumerate(axes):
        for number, (name, courses) in enumerate(means.items()):
            course = 100 * courses[way]
            if name in beside:
                dashes = (":", "--")[beside.index(name)]
                one.plot(
                    100 * share, course[:, 0], color=theme.ink, linestyle=dashes, label=name, linewidth=1.4
                )
                if name == beside[-1]:
                    one.fill_between(100 * share, *course.T[1:], color=theme.ink, alpha=0.13, linewidth=0)
                continue
            one.plot(
                100 * share, course[:, 0], color=colour(number), linewidth=1.3, marker=MARKERS[number % 10],
                markersize=3, label=name,
            )  # fmt: skip
        one.set_title(_TITLES[way], fontsize=9)
        one.set_xlabel("pixels deleted, %" if way == 0 else "pixels inserted, %")
        _grid(one)
    axes[0].set_ylabel("probability of the class, %")
    # Of the lots the interval is drawn, too.
    drawn = [one if name == beside[-1] else one[:, :1] for name, courses in means.items() for one in courses]
    top = up_to([100 * one.max() for one in drawn])
    axes[0].set_ylim(-0.02 * top, 1.02 * top)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)


def paint_likeness(
    figure: Figure,
    theme: Theme,
    steps: Sequence[tuple[int, str]],
    lines: Mapping[str, Likeness],
    threshold: float,
) -> None:
    """Draw how alike maps are as more layers are shuffled.

    Parameters
    ----------
    figure, theme
        As of `plotting.Paint`.
    steps
        How many layers are shuffled, and the name of the first of them.
    lines
        Name of the method to its correlations.
    threshold
        Above which maps are alike.
    """
    axes, place = figure.add_subplot(), np.arange(len(steps))
    for number, (name, line) in enumerate(lines.items()):
        # Intervals of several methods would hide each other.
        at = place + 0.06 * (number - (len(lines) - 1) / 2)
        axes.vlines(at, line[:, 1], line[:, 2], color=colour(number), linewidth=1)
        axes.plot(
            at, line[:, 0], color=colour(number), linewidth=1.2, marker=MARKERS[number % 10], markersize=4,
            label=name,
        )  # fmt: skip
    axes.axhline(threshold, color=theme.ink, linestyle="--", linewidth=1)
    axes.axhline(0, color=theme.soft, linewidth=0.8)
    names = [
        f"{count} layer{'s' if count > 1 else ''},\ndown to {ending(layer, 16)}" for count, layer in steps
    ]
    axes.set_xticks(place, names, fontsize=8)
    axes.set_ylabel("rank correlation with the map")
    lowest = np.concatenate([line[:, 1] for line in lines.values()])
    axes.set_ylim(np.nanmin([-0.3, *lowest]) - 0.05, 1.03)
    _grid(axes)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _grid(axes: Axes) -> None:
    axes.grid(axis="y")
    axes.set_axisbelow(True)
