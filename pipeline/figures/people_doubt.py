"""Where people differ on an image, and how sure they are: how often they and the network are right there."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot
from pipeline.formats.humans import Doubt
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

COLUMNS = (
    "bin", "images", "entropy_least", "entropy_mean", "entropy_most", "people_right", "network_right",
    "network_share", "network_low", "network_high",
)  # fmt: skip


def add_doubt(section: SectionDraft, doubt: Doubt) -> None:
    """Say how the network's probabilities stand to people's shares; draw accuracy against their entropy."""
    section.numbers |= _numbers(doubt)
    rows = _rows(doubt)
    if len(rows) < 2:
        section.add(blocks.Notice(caption="one-doubt"))
        return
    write_table(section.folder / "doubt.csv", COLUMNS, rows)
    columns = dict(zip(COLUMNS, np.array(rows, np.float64).T, strict=True))

    def paint(figure: Figure, theme: Theme) -> None:
        axes, at = figure.add_subplot(), columns["entropy_mean"]
        axes.plot(at, 100 * columns["people_right"], "o-", color=theme.accent, label="people, each answer")
        ends = (100 * columns["network_low"], 100 * columns["network_high"])
        axes.vlines(at, *ends, color=theme.contrast, linewidth=1.6)
        axes.plot(at, 100 * columns["network_share"], "D-", color=theme.contrast, label="the network")
        axes.set_xlabel("entropy of people’s answers, nats (mean of a bin)")
        axes.set_ylabel("right, %")
        axes.set_ylim(-2, 102)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)

    files = plot(section.folder, "doubt", (3.5, 2.9), paint)
    evidence = Evidence(n=int(columns["images"].sum()), interval="wilson")
    first, last = (dict(zip(COLUMNS, rows[place], strict=True)) for place in (0, -1))
    section.add(
        blocks.Figure(
            id="doubt", caption="doubt", data="doubt.csv", evidence=evidence, **files,
            numbers={
                "first_network": first["network_share"], "last_network": last["network_share"],
                "first_ends": (first["network_low"], first["network_high"]),
                "last_ends": (last["network_low"], last["network_high"]),
                "first_people": first["people_right"], "last_people": last["people_right"],
                "bins": len(rows),
            },
        )
    )  # fmt: skip


def sureness(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, Number]:
    """Return how sure people are of (A,) answers, NaN where that is not known, and how many are right."""
    known = ~np.isnan(confidence)
    if not known.any():
        return {}
    low, high = wilson(int(right[known].sum()), int(known.sum()))
    return {
        "sure_answers": int(known.sum()), "sure": float(confidence[known].mean()),
        "sure_right": float(right[known].mean()), "sure_ends": (float(low), float(high)),
    }  # fmt: skip


def _rows(doubt: Doubt) -> list[tuple[int, int, float, float, float, float, int, float, float, float]]:
    """Return a row for each bin of the images whose label and output are known."""
    known, rows = doubt.network_right >= 0, []
    for place in np.unique(doubt.bin[known]).tolist():
        mine = known & (doubt.bin == place)
        images, right = int(mine.sum()), int(doubt.network_right[mine].sum())
        low, high = wilson(right, images)
        entropy = doubt.entropy[mine]
        rows.append((
            place, images, float(entropy.min()), float(entropy.mean()), float(entropy.max()),
            float(doubt.share_right[mine].mean()), right, right / images, float(low), float(high),
        ))  # fmt: skip
    return rows


def _numbers(doubt: Doubt) -> dict[str, Number]:
    """Return what the words say of these images; cross-entropies of those whose classes all are outputs."""
    told: dict[str, Number] = {
        "many_images": len(doubt.image_id),
        "many_people": float((doubt.count.sum(axis=1) + doubt.none).mean()),
        "undoubted": int((doubt.entropy == 0).sum()),
    }  # fmt: skip
    right = doubt.share_right[~np.isnan(doubt.share_right)]
    if len(right):
        told["each_right"] = float(right.mean())
    known = ~np.isnan(doubt.cross_entropy)
    if known.any():
        told |= {
            "crossed_images": int(known.sum()), "crossed": float(doubt.cross_entropy[known].mean()),
            "crossed_ends": tuple(doubt.interval.tolist()), "least": float(doubt.entropy[known].mean()),
        }  # fmt: skip
        labelled = known & ~np.isnan(doubt.log_loss)
        if labelled.all():
            told["log_loss"] = float(doubt.log_loss[known].mean())
    if min(len(np.unique(doubt.entropy)), len(np.unique(doubt.network_entropy))) > 2:
        told["rank_correlation"] = float(spearmanr(doubt.entropy, doubt.network_entropy).statistic)
    return told
