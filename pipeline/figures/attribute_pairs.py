"""The two strongest attributes together: accuracy in each pair of their bins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.attribute_bins import bin_label, bin_name
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.formats.attributes import Attributes, Effect, Interaction
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

PAIRS = "pairs.csv"


def add_interaction(section: SectionDraft, found: Attributes) -> None:
    """Draw the accuracy in each pair of bins, and say whether the two effects add up."""
    both = found.interaction
    assert both is not None, "asked for before"
    names, labels = (_bin_names(found, both, written) for written in (bin_name, bin_label))
    low, high = wilson(both.right, both.images)
    write_table(section.folder / PAIRS, (*both.names, "images", "right", "low", "high"), (
        (names[0][row], names[1][column], both.images[row, column].item(), both.right[row, column].item(),
         low[row, column].item(), high[row, column].item())
        for row, column in np.ndindex(both.images.shape) if both.images[row, column]
    ))  # fmt: skip
    rows, columns = both.images.shape
    size = (1.4 + 0.5 * columns, 1.0 + 0.42 * rows)
    files = plot(section.folder, "pairs", size, lambda f, t: _paint(f, t, both, labels))
    numbers: dict[str, Number] = {
        "one": both.names[0], "other": both.names[1], "freedom": both.freedom, "ratio": both.ratio,
        "empty": int((both.images == 0).sum()),
    }  # fmt: skip
    if both.freedom:
        numbers |= {"chance": both.chance, "adds_up": int(both.chance >= found.level)}
    evidence = Evidence(n=int(both.images.sum()), split=found.split)
    section.add(
        blocks.Figure(
            id="pairs", caption="pairs", data=PAIRS, numbers=numbers, evidence=evidence, **files
        )
    )  # fmt: skip


def _bin_names(
    found: Attributes, both: Interaction, written: Callable[[Effect, int], str]
) -> tuple[list[str], list[str]]:
    effects = {one.name: one for one in found.effects}
    first, second = (
        [written(effects[name], place) for place in range(len(effects[name].bins))] for name in both.names
    )
    return first, second


def _paint(figure: Figure, theme: Theme, both: Interaction, labels: tuple[list[str], list[str]]) -> None:
    axes = figure.add_subplot()
    with np.errstate(invalid="ignore"):
        share = both.right / both.images
    wrong = 1 - np.nan_to_num(share, nan=1.0)
    pixels = np.empty((*share.shape, 4))
    pixels[..., :3], pixels[..., 3] = to_rgb(theme.contrast), wrong / max(wrong.max(), 1e-9)
    axes.imshow(pixels, interpolation="nearest", aspect="auto")
    for row, column in np.ndindex(share.shape):
        count = both.images[row, column]
        text = f"{100 * share[row, column]:.0f} %\nof {count:,}" if count else "–"
        ink = theme.paper if pixels[row, column, 3] > 0.55 else theme.ink
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(share.shape[1]), labels[1], fontsize=8)
    for label in axes.get_xticklabels():
        label.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")
    axes.set_yticks(range(share.shape[0]), labels[0], fontsize=8)
    axes.set_ylabel(short(both.names[0], 30))
    axes.set_xlabel(short(both.names[1], 40))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
