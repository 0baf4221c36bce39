"""How many points are found, however far off a match may be: one threshold hides what another shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_course import HEIGHT, WIDTH, Everything
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.store.tables import write_table

Float64 = NDArray[np.float64]

STEPS = 41
MARKERS = ("o", "s", "^", "D", "v")


def tolerances(section: SectionDraft, everything: Everything) -> blocks.Figure:
    """Draw a line a layer, and one of the best patches, from no error to twice the radius."""
    allowed = np.linspace(0, 2 * everything.found.about.radius, STEPS)
    lines = {name: _found(layer.matched.error, allowed) for name, layer in everything.layers.items()}
    side = everything.best_patch
    if side is not None:
        lines[f"patches, {side} px"] = _found(everything.patches[side].error, allowed)
    rows = [
        (name, distance, share)
        for name, line in lines.items()
        for distance, share in zip(allowed.tolist(), line.tolist(), strict=True)
    ]
    write_table(section.folder / "tolerances.csv", ("by", "within_pixels", "found"), rows)
    paint = partial(_paint, everything, allowed, lines)
    files = plot(section.folder, "tolerances", (WIDTH, HEIGHT), paint)
    evidence = Evidence(n=len(everything.found.views.point), of="points")
    radius, best = everything.found.about.radius, everything.layers[everything.best].matched
    # Of ties the mean error counts here, so that fewer may be found within the radius than elsewhere.
    within, widest = _found(best.error, np.array([radius, 2 * radius])).tolist()
    return blocks.Figure(
        id="tolerances", caption="tolerances", data="tolerances.csv", evidence=evidence,
        numbers={"within_pck": within, "widest": 2 * radius, "widest_pck": widest}, **files,
    )  # fmt: skip


def _paint(
    everything: Everything, allowed: Float64, lines: Mapping[str, Float64], figure: Figure, theme: Theme
) -> None:
    axes = figure.add_subplot()
    depth = LinearSegmentedColormap.from_list("depth", [theme.accent, theme.soft, theme.contrast])
    for number, (name, line) in enumerate(lines.items()):
        (drawn,) = axes.plot(allowed, line, linewidth=1.3, markersize=4, markevery=5, label=ending(name, 20))
        if name in everything.layers:
            share = number / max(1, len(everything.layers) - 1)
            drawn.set(color=depth(share), marker=MARKERS[number % len(MARKERS)])
        else:
            drawn.set(color=theme.ink, linestyle="--")
    axes.axvline(everything.found.about.radius, color=theme.soft, linewidth=0.8)
    axes.set_xlim(0, allowed[-1])
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.set_xlabel("at most so far off, pixels")
    axes.set_ylabel("found")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _found(error: NDArray[np.float32], allowed: Float64) -> Float64:
    """Return the share of points whose error is at most each distance."""
    return np.searchsorted(np.sort(error), allowed.astype(np.float32), side="right") / len(error)
