"""Whether units of the same number are excited most by the same images."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.comparison.overlap import Overlap, overlap
from pipeline.comparison.pairing import Pairs
from pipeline.comparison.runs import Run
from pipeline.contents import blocks
from pipeline.contents.values import Column, Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.errors import UserError
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.formats.topk import RankedLayer, open_topk
from pipeline.store.tables import write_table

TOPK = "artifacts/topk.h5"
# Layers that a figure has room for; the table lists all.
MOST_DRAWN = 60
NOTHING = "no unit of the same layer and number is active in both, in layers of as many units"


def add_units(section: SectionDraft, first: Run, second: Run, pairs: Pairs) -> None:
    """Compare the images that excite each unit most, layer by layer.

    Raises
    ------
    UserError
        If either run's ranking is not there, or of another version, or the networks have no unit in common.
    """
    with open_topk(first.path(TOPK)) as ours, open_topk(second.path(TOPK)) as theirs:
        k = min(ours.about.k, theirs.about.k, ours.about.images, theirs.about.images)
        images = (ours.about.images, theirs.about.images)
        layers = [name for name in ours.about.layers if name in theirs.about.layers]
        compared = {name: _compare(ours.layer(name), theirs.layer(name), pairs, k) for name in layers}
        left_out = set(ours.about.layers) ^ set(theirs.about.layers)
    found = {name: one for name, one in compared.items() if one is not None}
    known = {name: one for name, one in found.items() if np.isfinite(one.same).any()}
    if not known:
        raise UserError(NOTHING)
    section.numbers |= {
        "k": k, "by_chance": k * min(len(pairs), *images) / (images[0] * images[1]),
        "left_out": len(left_out) + len(compared) - len(found),
        "units": sum(len(one.same) for one in found.values()),
        "same": int(all(bool((_known(one.same) == 1).all()) for one in known.values())),
    }  # fmt: skip
    if not section.numbers["same"]:
        _draw(section, known)


def _compare(first: RankedLayer, second: RankedLayer, pairs: Pairs, k: int) -> Overlap | None:
    """Compare a layer; None where it has another number of units."""
    if len(first.image_id) != len(second.image_id):
        return None
    ours = _named(first.image_id[:, :k], pairs.first)
    theirs = _named(second.image_id[:, :k], pairs.second)
    return overlap(ours, theirs, (first.count_active, second.count_active))


def _named(image_id: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return images by their places among the pairs; -1 for one that the other run does not have."""
    places = np.full(int(max(image_id.max(initial=-1), rows.max(initial=-1))) + 1, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return places[image_id]


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _draw(section: SectionDraft, found: Mapping[str, Overlap]) -> None:
    rows = [
        (layer, unit, one.same[unit], int(one.best_unit[unit]), one.best[unit])
        for layer, one in found.items()
        for unit in range(len(one.same))
    ]
    columns = ("layer", "unit", "same unit", "most alike unit", "most alike")
    write_table(section.folder / "units.csv", columns, rows)
    everything = np.concatenate([_known(one.same) for one in found.values()])
    section.numbers |= {
        "compared": len(everything), "median": float(np.median(everything)),
        "disjoint": int((everything == 0).sum()), "alike": int((everything == 1).sum()),
    }  # fmt: skip
    evidence = Evidence(n=len(everything), of="units")
    if len(found) <= MOST_DRAWN:
        files = plot(
            section.folder, "overlap", (4.8, 1.0 + 0.25 * len(found)),
            lambda figure, theme: _paint(figure, theme, found, float(section.numbers["by_chance"])),  # type: ignore[arg-type]
        )  # fmt: skip
        section.add(
            blocks.Figure(id="overlap", caption="overlap", data="units.csv", evidence=evidence, **files)
        )
    section.add(_table(found))


def _table(found: Mapping[str, Overlap]) -> blocks.Table:
    columns = (
        Column(name="layer"), Column(name="units", form="count"),
        Column(name="compared", form="count"), Column(name="same", form="share"),
        Column(name="best", form="share"),
    )  # fmt: skip
    rows = tuple(
        (
            name, len(one.same), len(_known(one.same)), float(np.median(_known(one.same))),
            float(np.median(_known(one.best))) if len(_known(one.best)) else None,
        )
        for name, one in found.items()
    )  # fmt: skip
    return blocks.Table(id="layers", caption="layers", columns=columns, rows=rows)


def _paint(figure: Figure, theme: Theme, found: Mapping[str, Overlap], by_chance: float) -> None:
    """Draw the quartiles of a layer's units as a bar and the tenths at either end as a line."""
    axes = figure.add_subplot()
    places = np.arange(len(found))[::-1]
    for place, one in zip(places, found.values(), strict=True):
        low, quarter, middle, three, high = 100 * np.quantile(_known(one.same), (0.1, 0.25, 0.5, 0.75, 0.9))
        axes.plot([low, high], [place, place], color=theme.soft, linewidth=1)
        axes.barh(place, three - quarter, left=quarter, height=0.5, color=theme.accent, alpha=0.45)
        axes.plot(middle, place, "o", color=theme.accent, markersize=5)
        if len(_known(one.best)):
            axes.plot(100 * np.median(_known(one.best)), place, "D", color=theme.contrast, markersize=5)
    axes.axvline(100 * by_chance, color=theme.soft, linewidth=1, linestyle="--")
    axes.set_yticks(places, [ending(name) for name in found])
    axes.set_xlim(-2, 102)
    axes.set_xlabel("of the strongest images the same, %; dashed: by chance")
    axes.grid(axis="x")
