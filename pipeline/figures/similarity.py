"""How alike layers are: a matrix of the network's, and how those of the checkpoints come to be them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.courses import MOST_NAMED, Line, Steps, height, paint_lines
from pipeline.figures.drawing.heatmap import MOST_WRITTEN, paint_matrix
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import Files, plot
from pipeline.formats.similarity import Similarity, Training
from pipeline.formats.status import Status
from pipeline.numerics.spreading import even_places
from pipeline.store.tables import write_table

WIDTH = 3.5  # inches, of figures that stand side by side
MOST_CHECKPOINTS = 6
# What counts as the same layer in words.
ALIKE = 0.9
FEWEST_LAYERS = 4
FEWEST_STEPS = 3


def add_similarity(section: SectionDraft, found: Similarity | Status) -> None:
    """Draw how alike layers are, or say why that is not known."""
    if isinstance(found, Status):
        section.status = found
        return
    evidence = Evidence(n=len(found.image_id))
    section.numbers |= {"images": len(found.image_id), "layers": len(found.layers)} | _told(found)
    side = float(np.clip(1.6 + 0.36 * len(found.layers), WIDTH, 7.0))
    files = _matrix(section, "network", found.layers, found.cka, (side, "layer", "layer, compared with"))
    section.add(
        blocks.Figure(
            id="network", caption="network", data="network.csv", evidence=evidence,
            numbers={"written": int(len(found.layers) <= MOST_WRITTEN)}, **files,
        )
    )  # fmt: skip
    if found.training is not None:
        _add_training(section, found, found.training, evidence)


def _told(found: Similarity) -> dict[str, Number]:
    """Return what the section's words say; what is not known is left out."""
    told: dict[str, Number] = {"silent": int(np.isnan(np.diagonal(found.cka)).sum())}
    beside = np.diagonal(found.cka, 1)
    if np.isfinite(beside).any():
        least, most = int(np.nanargmin(beside)), int(np.nanargmax(beside))
        told |= {
            "beside": float(np.nanmean(beside)), "least": float(beside[least]), "most": float(beside[most]),
            "least_first": found.layers[least], "least_second": found.layers[least + 1],
            "most_first": found.layers[most], "most_second": found.layers[most + 1],
        }  # fmt: skip
    if len(found.layers) > 1 and np.isfinite(found.cka[0, -1]):
        told |= {"ends": float(found.cka[0, -1]), "first": found.layers[0], "last": found.layers[-1]}
    if len(found.halves):
        apart = np.abs(found.halves[0] - found.halves[1])
        if np.isfinite(apart).any():
            told |= {"apart": float(np.nanmax(apart)), "half": len(found.image_id) // 2}
    return told


def _matrix(
    section: SectionDraft,
    name: str,
    layers: Sequence[str],
    matrix: NDArray[np.float64],
    drawn: tuple[float, str, str],
) -> Files:
    """Draw a matrix, `drawn` with a side in inches and what its rows and its columns are, and write it."""
    side, *axes = drawn
    rows = [
        (first, second, matrix[row, column])
        for row, first in enumerate(layers)
        for column, second in enumerate(layers)
    ]
    write_table(section.folder / f"{name}.csv", (*axes, "cka"), rows)

    def paint(figure: Figure, theme: Theme) -> None:
        paint_matrix(figure, theme, matrix, layers, (axes[0], axes[1]))

    return plot(section.folder, name, (side, side), paint)


def _add_training(section: SectionDraft, found: Similarity, training: Training, evidence: Evidence) -> None:
    """Draw how each layer comes to be what it is at the end, and checkpoints beside the network."""
    steps = Steps(training.name, training.epoch)
    own = np.diagonal(training.cka, axis1=1, axis2=2)
    section.numbers |= {
        "checkpoints": len(steps.name), "numbered": int(steps.numbered), "alike": ALIKE,
        "initial": int(training.epoch[0] == 0), "first_checkpoint": steps.labels[0],
    }  # fmt: skip
    section.numbers |= _arrivals(found.layers, own, steps)
    rows = [
        (layer, name, epoch, value)
        for layer, values in zip(found.layers, own.T, strict=True)
        for name, epoch, value in zip(training.name, training.epoch.tolist(), values.tolist(), strict=True)
    ]
    write_table(section.folder / "course.csv", ("layer", "checkpoint", "epoch", "cka_with_final"), rows)
    lines = {layer: Line(values) for layer, values in zip(found.layers, own.T, strict=True)}

    def paint(figure: Figure, theme: Theme) -> None:
        paint_lines(figure, theme, steps, lines, "CKA with the layer at the end")

    files = plot(section.folder, "course", (WIDTH, height(len(lines))), paint)
    figures = [
        blocks.Figure(
            id="course", caption="course", data="course.csv", evidence=evidence,
            numbers={"drawn": len(lines), "named": MOST_NAMED}, **files,
        )
    ]  # fmt: skip
    for place in shown_checkpoints(len(steps.name)):
        figures.append(_checkpoint(section, found, training, place, steps.labels[place]))
    section.add(blocks.Multiples(id="training", caption="training", figures=tuple(figures)))


def shown_checkpoints(count: int) -> list[int]:
    """Return the places of those that are drawn, spread evenly; the last, which is the network, is not."""
    return even_places(count - 1, MOST_CHECKPOINTS).tolist()


def _checkpoint(
    section: SectionDraft, found: Similarity, training: Training, place: int, label: str
) -> blocks.Figure:
    name, matrix = f"checkpoint-{place}", training.cka[place]
    drawn = (WIDTH, "layer at the checkpoint", "layer at the end")
    files = _matrix(section, name, found.layers, matrix, drawn)
    own = np.diagonal(matrix)[np.isfinite(np.diagonal(matrix))]
    return blocks.Figure(
        id=name, caption="checkpoint", data=f"{name}.csv", evidence=Evidence(n=len(found.image_id)),
        numbers={"checkpoint": label, **({"own": float(own.mean())} if len(own) else {})}, **files,
    )  # fmt: skip


def _arrivals(layers: Sequence[str], own: NDArray[np.float64], steps: Steps) -> dict[str, Number]:
    """Say which layer is as it will be at the end at which checkpoint: the first that stays `ALIKE`.

    The last checkpoint is the network itself: that a layer is there what it is at the end is no arrival.
    """
    known = np.flatnonzero(np.isfinite(own).all(0))
    if not len(known):
        return {}
    told: dict[str, Number] = {"known": len(known), "at_first": float(own[0, known].mean())}
    # Of two checkpoints the second is the network: all arrive there.
    if len(own) < FEWEST_STEPS:
        return told
    stays = np.minimum.accumulate(own[::-1, known] >= ALIKE, axis=0)[::-1]
    arrival = stays.argmax(0)
    end = len(own) - 1
    early, late = int(arrival.argmin()), len(arrival) - 1 - int(arrival[::-1].argmax())
    return told | _order(arrival, end) | {
        "early_layer": layers[known[early]], "early": steps.labels[arrival[early]],
        "late_layer": layers[known[late]], "late": steps.labels[arrival[late]],
        "all_at_once": int(arrival[early] == arrival[late]),
        "at_end": int((arrival == end).sum()), "before_end": steps.labels[end - 1],
    }  # fmt: skip


def _order(arrival: NDArray[np.int64], end: int) -> dict[str, Number]:
    """Return the rank correlation of depth and arrival; none where few come before the end or all at once."""
    if np.count_nonzero(arrival < end) < FEWEST_LAYERS or len(np.unique(arrival)) < 2:
        return {}
    # Of equal ones the middle rank, as Spearman's coefficient takes it.
    rank = (arrival[:, None] > arrival).sum(1) + (arrival[:, None] == arrival).sum(1) / 2
    return {"order": float(np.corrcoef(np.arange(len(arrival)), rank)[0, 1])}
