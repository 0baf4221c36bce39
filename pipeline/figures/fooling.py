"""The section of fooling: how little it takes for the network to be wrong, and images that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.values import Column, Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.figures.fooling_evolved import add_evolved
from pipeline.figures.fooling_numbers import fooling_numbers, shares_right, sureness
from pipeline.figures.fooling_pictures import Names, add_ascended, add_probes
from pipeline.formats.fooling import BEFORE, METHODS, Codes, Fooling, PixelProbe
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

WORDS = {"fgsm": "FGSM", "pgd": "PGD"}
STYLES = {"fgsm": "--", "pgd": "-"}
CURVES = ("attack", "distance", "right", "images", "share", "low", "high", "confidence")
NARROW = (3.5, 2.4)  # inches


def add_fooling(
    section: SectionDraft, found: Fooling | Status, probes: Mapping[int, Pictured], names: Names
) -> None:
    """Draw what fools the network, or say why nothing was tried.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    names
        Of outputs and classes.
    """
    if isinstance(found, Status):
        section.status = found
        return
    section.numbers |= fooling_numbers(found)
    _add_curves(section, found)
    _add_smallest(section, found)
    add_probes(section, found, probes, names)
    _add_minimal(section, found, probes, names.output)
    add_ascended(section, found, names.output)
    add_evolved(section, found, names.output)
    _add_transfer(section, found)
    if found.codes is not None:
        _add_codes(section, found.codes, found.about.layer)
    if found.pixels is not None:
        _add_pixels(section, found.pixels, found.sample.level)


def _add_curves(section: SectionDraft, found: Fooling) -> None:
    level, rows = found.sample.level.tolist(), []
    for method in METHODS:
        right, shares = shares_right(found, method)
        confidence = found.attacks[method].confidence.mean(0, dtype=np.float64)
        columns = zip(level, right.tolist(), shares.tolist(), confidence.tolist(), strict=True)
        rows += [
            (WORDS[method], at, count, len(found.sample.output), *share, sure)
            for at, count, share, sure in columns
        ]
    write_table(section.folder / "curves.csv", CURVES, rows)
    evidence = Evidence(n=len(found.sample.output), split=found.about.split, interval="wilson")
    for name, paint in (("curves", _paint_accuracy), ("confidence", _paint_confidence)):
        files = plot(section.folder, name, NARROW, partial(paint, found=found))
        of = evidence if name == "curves" else evidence.model_copy(update={"interval": None})
        numbers = {} if name == "curves" else sureness(found.attacks["pgd"].confidence)
        section.add(
            blocks.Figure(
                id=name, caption=name, data="curves.csv", numbers=numbers, evidence=of, **files
            )
        )  # fmt: skip


def _paint_accuracy(figure: Figure, theme: Theme, found: Fooling) -> None:
    axes, place = _against_distance(figure, found), np.arange(len(found.sample.level))
    for method, colour in zip(METHODS, (theme.contrast, theme.accent), strict=True):
        share, low, high = shares_right(found, method)[1].T
        axes.fill_between(place, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(place, share, STYLES[method], color=colour, marker="o", markersize=4, label=WORDS[method])
    axes.set_ylabel("right" if found.about.basis == "label" else "as without attack")
    axes.legend()


def _paint_confidence(figure: Figure, theme: Theme, found: Fooling) -> None:
    axes, place = _against_distance(figure, found), np.arange(len(found.sample.level))
    for method, colour in zip(METHODS, (theme.contrast, theme.accent), strict=True):
        said = found.attacks[method].confidence.mean(0, dtype=np.float64)
        axes.plot(place, said, STYLES[method], color=colour, marker="o", markersize=4, label=WORDS[method])
    axes.set_ylabel("mean confidence")
    axes.legend()


def _against_distance(figure: Figure, found: Fooling) -> Axes:
    """Return axes on which the distances stand side by side, whatever lies between them."""
    axes, level = figure.add_subplot(), found.sample.level.tolist()
    axes.set_xticks(range(len(level)), [str(one) for one in level])
    axes.set_xlabel("distance ε, grey levels of 255")
    _as_shares(axes)
    return axes


def _as_shares(axes: Axes) -> None:
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="y")


def _add_smallest(section: SectionDraft, found: Fooling) -> None:
    columns = ("image_id", *(f"{WORDS[method]}_smallest" for method in METHODS))
    smallest = [found.attacks[method].smallest.tolist() for method in METHODS]
    write_table(
        section.folder / "smallest.csv", columns, zip(found.sample.image_id.tolist(), *smallest, strict=True)
    )
    tried = [one for one in found.attacks["pgd"].smallest.tolist() if one != BEFORE]
    if not tried:
        section.add(blocks.Notice(caption="none-right"))
        return
    files = plot(section.folder, "smallest", NARROW, partial(_paint_smallest, found=found))
    evidence = Evidence(n=len(tried), split=found.about.split)
    section.add(
        blocks.Figure(id="smallest", caption="smallest", data="smallest.csv", evidence=evidence, **files)
    )


def _paint_smallest(figure: Figure, theme: Theme, found: Fooling) -> None:
    axes, largest = figure.add_subplot(), int(found.sample.level[-1])
    for method, colour in zip(METHODS, (theme.contrast, theme.accent), strict=True):
        tried = found.attacks[method].smallest
        tried = tried[tried != BEFORE]
        at = np.arange(largest + 1)
        share = [((tried > 0) & (tried <= one)).mean() for one in at.tolist()]
        axes.step(at, share, where="post", color=colour, linestyle=STYLES[method], label=WORDS[method])
    axes.set_xlim(0, largest)
    axes.set_xlabel("distance ε, grey levels")
    axes.set_ylabel("images fooled")
    axes.legend(loc="lower right")
    _as_shares(axes)


def _add_minimal(
    section: SectionDraft, found: Fooling, probes: Mapping[int, Pictured], outputs: Sequence[str]
) -> None:
    if found.minimal is None:
        return
    one = found.minimal
    reached = one.reached == 1
    rows = [
        (
            probes[int(found.shown.image_id[place])].path,
            outputs[found.shown.predicted[place]], outputs[target],
            float(one.norm[place]) if reached[place] else None,
            float(one.distortion[place]) if reached[place] else None,
            float(one.stretch[place]) if np.isfinite(one.stretch[place]) else None,
        )
        for place, target in enumerate(one.target.tolist())
    ]  # fmt: skip
    columns = (
        Column(name="image", form="image"), Column(name="from", form="class"),
        Column(name="to", form="class"), Column(name="norm", form="number"),
        Column(name="distortion", form="number"), Column(name="stretch", form="number"),
    )  # fmt: skip
    numbers: dict[str, Number] = {
        "asked": len(reached), "reached": int(reached.sum()),
        "rounded": int(np.isfinite(one.stretch).sum()),
        "plainly": int((one.stretch == 1).sum()),
    }  # fmt: skip
    if reached.any():
        numbers |= {
            "norm": float(np.nanmedian(one.norm)), "distortion": float(np.nanmedian(one.distortion))
        }  # fmt: skip
    section.add(
        blocks.Table(
            id="minimal", caption="minimal", columns=columns, rows=tuple(rows), numbers=numbers,
            evidence=Evidence(n=len(rows)),
        )
    )  # fmt: skip


def _add_transfer(section: SectionDraft, found: Fooling) -> None:
    """Tabulate how many of the images that both have right are fooled, for each pair of checkpoints."""
    one = found.transfer
    if one is None:
        section.add(blocks.Notice(caption="no-transfer"))
        return
    right = one.clean == found.sample.output
    rows: list[tuple[str | tuple[int, int] | None, ...]] = []
    others: list[tuple[int, int]] = []
    for source, name in enumerate(one.name):
        cells: list[tuple[int, int] | None] = []
        for asked in range(len(one.name)):
            both = right[source] & right[asked]
            fooled = int((both & (one.attacked[source, asked] != found.sample.output)).sum())
            cells.append((fooled, int(both.sum())) if both.any() else None)
        rows.append((name, *cells))
        if cells[-1] is not None:
            others.append(cells[-1])
    columns = (Column(name="made_for"), *(Column(name=name, form="proportion") for name in one.name))
    numbers: dict[str, Number] = {}
    # The network comes last, made for and asked.
    if len(others) > 1:
        fooled, both = np.array(others[:-1]).sum(0).tolist()
        own = others[-1][0] / others[-1][1]
        numbers = {"others_fooled": fooled / both, "pairs": both, "own": own}
    section.add(
        blocks.Table(
            id="transfer", caption="transfer", columns=columns, rows=tuple(rows), numbers=numbers,
            evidence=Evidence(n=len(found.sample.output), split=found.about.split),
        )
    )  # fmt: skip


def _add_codes(section: SectionDraft, codes: Codes, layer: str) -> None:
    along, random = (one.mean(1) for one in (codes.along, codes.random))
    write_table(
        section.folder / "codes.csv", ("length", "along", "random"),
        zip(codes.length.tolist(), along.tolist(), random.tolist(), strict=True),
    )  # fmt: skip
    lines = {"weights of another class": along, "random direction": random}
    titles = ("added, share of the code’s length", "class changed")
    paint = partial(_paint_lines, at=codes.length, lines=lines, titles=titles)
    files = plot(section.folder, "codes", NARROW, paint)
    broken = np.isfinite(codes.share)
    numbers: dict[str, Number] = {
        "layer": layer, "codes": len(broken), "broken": int(broken.sum()), "far": float(codes.length[-1]),
        "random": float(random[-1]), "along": float(along[-1]),
    }  # fmt: skip
    # What no fraction breaks lies beyond all that some does.
    if broken.mean() > 0.5:
        numbers["share"] = float(np.median(np.where(broken, codes.share, np.inf)))
    section.add(
        blocks.Figure(
            id="codes", caption="codes", data="codes.csv", numbers=numbers,
            evidence=Evidence(n=len(broken)), **files,
        )
    )  # fmt: skip


def _add_pixels(section: SectionDraft, pixels: PixelProbe, level: NDArray[np.int64]) -> None:
    target = (pixels.predicted == pixels.target[:, None]).mean(0)
    right = (pixels.predicted == pixels.label[:, None]).mean(0)
    first = pixels.predicted[:, 0]
    write_table(
        section.folder / "pixels.csv", ("distance", "target", "right"),
        zip(level.tolist(), target.tolist(), right.tolist(), strict=True),
    )  # fmt: skip
    lines = {"taken for the chosen class": target, "right": right}
    paint = partial(_paint_lines, at=level, lines=lines, titles=("distance ε, grey levels", "images"))
    files = plot(section.folder, "pixels", NARROW, paint)
    reached = np.flatnonzero(target >= 0.5)
    numbers: dict[str, Number] = {
        "classified": len(pixels.target), "fit": len(pixels.fit), "accuracy": float(right[0]),
        "accuracy_ends": tuple(map(float, wilson(int((first == pixels.label).sum()), len(first)))),
        "cells": tuple(pixels.cells.tolist()), "target_last": float(target[-1]),
    }  # fmt: skip
    if len(reached):
        numbers |= {"half": int(level[reached[0]]), "half_share": float(target[reached[0]])}
    section.add(
        blocks.Figure(
            id="pixels", caption="pixels", data="pixels.csv", numbers=numbers,
            evidence=Evidence(n=len(pixels.target)), **files,
        )
    )  # fmt: skip


def _paint_lines(
    figure: Figure,
    theme: Theme,
    at: NDArray[np.floating | np.integer],
    lines: dict[str, NDArray[np.floating]],
    titles: tuple[str, str],
) -> None:
    axes = figure.add_subplot()
    colours, styles = (theme.accent, theme.contrast), ("-", "--")
    for (name, share), colour, style in zip(lines.items(), colours, styles, strict=True):
        axes.plot(at, share, style, color=colour, marker="o", markersize=4, label=short(name, 30))
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])
    axes.legend(fontsize=8)
    _as_shares(axes)
