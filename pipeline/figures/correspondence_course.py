"""Correspondence against depth: shares of points that are found, their errors, and their yardsticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.extremes import Bounded, clear_extremes
from pipeline.formats.correspondence import ALL, INTERIOR, CorrespondenceFile, Matched, PlacedLayer
from pipeline.store.tables import write_table

# Of lines that stand for no layer, matplotlib's: lengths of a dash and of the gap after it.
DASHES = ((0, (5, 2)), (0, (1, 2)), (0, (5, 2, 1, 2)), (0, (9, 3)))
WIDTH, HEIGHT = 3.6, 3.4  # inches
DATA = ("what", "layer", "pck", "pck_low", "pck_high", "median_error", "error_low", "error_high")


Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Everything:
    """All that the section reads of the artifact."""

    found: CorrespondenceFile
    layers: Mapping[str, PlacedLayer]
    patches: Mapping[int, Matched]

    @property
    def best(self) -> str:
        """The layer with the most right points."""
        return max(self.layers, key=lambda name: float(self.layers[name].matched.pck[ALL, 0]))

    @property
    def as_good(self) -> int:
        """How many layers have as many right points as the best."""
        shares = [float(one.matched.pck[ALL, 0]) for one in self.layers.values()]
        return shares.count(max(shares))

    @property
    def best_patch(self) -> int | None:
        """The side of the patches with the most right points; None where there are none."""
        sides = list(self.patches)
        return max(sides, key=lambda side: float(self.patches[side].pck[ALL, 0])) if sides else None

    @property
    def staying(self) -> NDArray[np.float64]:
        """(K,), how far each point moved: the error of whoever looks at its old place."""
        views = self.found.views
        return np.asarray(np.linalg.norm(views.true - views.point, axis=1))


def plots(section: SectionDraft, everything: Everything, evidence: Evidence) -> list[blocks.Figure]:
    """Draw shares and errors against depth."""
    _write(section, everything)
    return [
        blocks.Figure(
            id=name, caption=name, data="course.csv", evidence=evidence, numbers=numbers,
            **plot(section.folder, name, (max(WIDTH, 0.6 * len(everything.layers)), HEIGHT), paint),
        )
        for name, paint, numbers in (
            ("shares", _shares(everything), {"as_good": everything.as_good}),
            ("errors", _errors(everything), error_numbers(everything)),
        )
    ]  # fmt: skip


def error_numbers(everything: Everything) -> dict[str, Number]:
    """Return the layers of the smallest and of the largest median error, where these are clearly two.

    Of a single layer its ``error`` and, where it is known, the interval's ``error_low`` and ``error_high``.
    """
    medians = {name: Bounded(*one.matched.median[ALL].tolist()) for name, one in everything.layers.items()}
    if len(medians) > 1:
        return clear_extremes(medians)
    (one,) = medians.values()
    ends = {"error_low": one.low, "error_high": one.high} if np.isfinite(one).all() else {}
    return {"error": one.value, **ends}


def _shares(everything: Everything) -> Callable[[Figure, Theme], None]:
    layers = list(everything.layers.values())
    lines = [
        ("network", np.stack([one.matched.pck[ALL] for one in layers])),
        ("random weights", np.stack([one.held.random_pck for one in layers])),
    ]
    flat = [(f"patches, {side} px", float(one.pck[ALL, 0])) for side, one in everything.patches.items()]
    flat.append(("staying in place", float((everything.staying <= everything.found.about.radius).mean())))
    chance = ("chance", np.array([float(one.held.chance_hit.mean()) for one in layers]))

    def paint(figure: Figure, theme: Theme) -> None:
        _paint(figure, theme, list(everything.layers), lines, [chance], flat)
        figure.axes[0].set_ylim(0, 1)
        figure.axes[0].yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        figure.axes[0].set_ylabel(f"found within {everything.found.about.radius:.3g} px")

    return paint


def _errors(everything: Everything) -> Callable[[Figure, Theme], None]:
    layers = list(everything.layers.values())
    lines = [
        ("network", np.stack([one.matched.median[ALL] for one in layers])),
        ("random weights", np.stack([one.held.random_median for one in layers])),
    ]
    lesser = [
        ("a neuron of the field", np.array([float(np.median(one.held.field_error)) for one in layers])),
        ("nearest neuron", np.array([float(np.median(one.held.floor)) for one in layers])),
    ]
    flat = [(f"patches, {side} px", float(one.median[ALL, 0])) for side, one in everything.patches.items()]

    def paint(figure: Figure, theme: Theme) -> None:
        _paint(figure, theme, list(everything.layers), lines, lesser, flat)
        figure.axes[0].set_ylim(bottom=0)
        figure.axes[0].set_ylabel("median error, pixels")

    return paint


def _paint(
    figure: Figure,
    theme: Theme,
    names: Sequence[str],
    lines: Sequence[tuple[str, Float64]],
    lesser: Sequence[tuple[str, Float64]],
    flat: Sequence[tuple[str, float]],
) -> None:
    """Draw lines with intervals, thinner ones without, and what does not depend on the layer."""
    axes, places = figure.add_subplot(), np.arange(len(names))
    for (label, values), colour in zip(lines, (theme.accent, theme.contrast), strict=True):
        reach = np.nan_to_num(np.abs(values[:, 1:] - values[:, :1])).T
        axes.errorbar(
            places, values[:, 0], reach, fmt="-o", color=colour, markersize=4, capsize=3, label=label
        )
    for (label, line), style in zip(lesser, ("-", ":"), strict=False):
        axes.plot(places, line, style, color=theme.soft, linewidth=1.2, label=label)
    for number, (label, height) in enumerate(flat):
        axes.axhline(height, color=theme.ink, linestyle=DASHES[number % 4], linewidth=1, label=label)
    axes.set_xticks(places, [ending(name, 16) for name in names], rotation=30, ha="right")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _write(section: SectionDraft, everything: Everything) -> None:
    rows: list[tuple[object, ...]] = []
    for name, layer in everything.layers.items():
        held = layer.held
        rows += [
            ("network", name, *layer.matched.pck[ALL], *layer.matched.median[ALL]),
            ("network, interior points", name, *layer.matched.pck[INTERIOR], *layer.matched.median[INTERIOR]),
            ("random weights", name, *held.random_pck, *held.random_median),
            ("chance", name, held.chance_hit.mean(), None, None, np.median(held.chance_error), None, None),
            ("a neuron of the field", name, None, None, None, np.median(held.field_error), None, None),
            ("nearest neuron", name, None, None, None, np.median(held.floor), None, None),
        ]
    rows += [(what, None, *row) for what, row in plain_rows(everything)]
    write_table(section.folder / "course.csv", DATA, rows)


def plain_rows(everything: Everything) -> list[tuple[str, tuple[float, ...]]]:
    """Return what needs no network: patches, and staying in place."""
    moved = everything.staying
    share = float((moved <= everything.found.about.radius).mean())
    nothing = float("nan")
    return [
        *((f"patches of {side} pixels", (*one.pck[ALL].tolist(), *one.median[ALL].tolist()))
          for side, one in everything.patches.items()),
        ("the point’s old place", (share, nothing, nothing, float(np.median(moved)), nothing, nothing)),
    ]  # fmt: skip
