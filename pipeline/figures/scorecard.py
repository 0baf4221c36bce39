"""The section of the scorecard: whether the maps of each attribution method are any good."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.analyses.attribution.verdicts import (
    ALIKE,
    LEAST,
    Estimate,
    Outcome,
    Verdict,
    alike_by_step,
    estimate,
    estimate_columns,
    gains,
    knowledge,
    verdicts_of,
)
from pipeline.contents.blocks import Figure, Table, Text
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Cell, Column, Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.overlays.methods import TITLES
from pipeline.figures.drawing.plotting import plot
from pipeline.figures.scorecard_curves import Courses, Likeness, paint_courses, paint_likeness
from pipeline.formats.probes import Pictured
from pipeline.formats.scorecard import CENTRE, RANDOM, Scorecard
from pipeline.formats.status import Status
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

NAMES = TITLES | {"occlusion": "Occlusion", CENTRE: "From the middle", RANDOM: "By lot"}
AREAS = (
    Column(name="order"),
    Column(name="deletion", form="share"), Column(name="deletion_gain", form="interval"),
    Column(name="insertion", form="share"), Column(name="insertion_gain", form="interval"),
)  # fmt: skip
ALIKENESS = tuple(
    Column(name=name, form="number" if name != "method" else "text")
    for name in ("method", "last", "all", "mean", "low", "high", "other", "other_low", "other_high")
)
# Above an even guess, and as much again: a predicted class of less than both leaves maps nothing to explain.
UNSURE = 0.05
# Estimates whose number of images is said; those of deletion, insertion and beside the centre are of one.
COUNTED = ("deletion", "alike", "other")
POINTING = (
    Column(name="order"), Column(name="hits", form="proportion"), Column(name="ends", form="interval"),
    Column(name="over_centre", form="share"), Column(name="over_centre_ends", form="interval"),
)  # fmt: skip
IMAGE = (
    Column(name="order"), Column(name="deletion", form="share"), Column(name="insertion", form="share"),
)  # fmt: skip


@dataclass(frozen=True)
class _Drawing:
    """What is drawn from."""

    section: SectionDraft
    found: Scorecard
    verdicts: Mapping[str, Verdict]

    @property
    def again(self) -> int:
        """Images of which maps were made anew."""
        return len(self.found.images.other)

    def courses(self) -> Figure:
        """Draw the curves, means over images."""
        found, share = self.found, self.found.images.share
        rows: list[tuple[object, ...]] = []
        means: dict[str, Courses] = {}
        for name, order in found.orders.items():
            ways = estimate_columns(order.deletion), estimate_columns(order.insertion)
            means[NAMES[name]] = ways
            rows += [
                (NAMES[name], step, *gone, *come, len(order.deletion))
                for step, gone, come in zip(share, *ways, strict=True)
            ]
        columns = (
            "order", "share", "deletion", "deletion_low", "deletion_high", "insertion", "insertion_low",
            "insertion_high", "images",
        )  # fmt: skip
        write_table(self.section.folder / "courses.csv", columns, rows)
        beside = (NAMES[CENTRE], NAMES[RANDOM])
        files = plot(
            self.section.folder, "courses", (6.5, 4.6), lambda f, t: paint_courses(f, t, share, means, beside)
        )
        evidence = Evidence(n=len(found.images.image_id), interval="bootstrap")
        return Figure(id="courses", caption="courses", data="courses.csv", evidence=evidence, **files)

    def areas(self) -> Table:
        """Say what lies under the curves, and by how much that is better than by lot."""
        found, rows = self.found, []
        for name, order in found.orders.items():
            deletion, insertion = (float(one.mean()) for one in order.areas(found.images.share))
            ends: list[Cell] = [None, None]
            if name != RANDOM:
                ends = [one.ends for one in gains(found, name, over=RANDOM)]
            rows.append((NAMES[name], deletion, ends[0], insertion, ends[1]))
        evidence = Evidence(n=len(found.images.image_id), interval="bootstrap")
        return Table(id="areas", caption="areas", columns=AREAS, rows=tuple(rows), evidence=evidence)

    def likeness(self) -> Figure:
        """Draw how alike maps are to those after weights were shuffled."""
        found = self.found
        layers = [found.about.layers[count - 1] for count in found.images.shuffled.tolist()]
        lines: dict[str, Likeness] = {}
        rows: list[tuple[object, ...]] = []
        for name, one in found.likeness.items():
            ways = [[estimate(step) for step in of] for of in (one.shuffled, one.shuffled_magnitude)]
            lines[NAMES[name]] = np.array([_plain(step) for step in ways[0]])
            for step, (value, magnitude) in enumerate(zip(*ways, strict=True)):
                counted = int(found.images.shuffled[step])
                rows.append((NAMES[name], counted, layers[step], *_cells(value), *_cells(magnitude)))
        columns = (
            "method", "layers_shuffled", "down_to", "correlation", "low", "high", "of_magnitudes",
            "of_magnitudes_low", "of_magnitudes_high",
        )  # fmt: skip
        write_table(self.section.folder / "likeness.csv", columns, rows)
        names = list(zip(found.images.shuffled.tolist(), layers, strict=True))
        files = plot(
            self.section.folder,
            "likeness",
            (4.4, 4.0),
            lambda f, t: paint_likeness(f, t, names, lines, ALIKE),
        )
        evidence = Evidence(n=self.again, interval="bootstrap")
        return Figure(id="likeness", caption="likeness", data="likeness.csv", evidence=evidence, **files)

    def blank(self, name: str) -> dict[str, Number]:
        """Count the maps of shuffled weights that are the same everywhere, as the format has it."""
        found = self.found.likeness[name].shuffled
        return {"blank": int((found == 0).sum()), "anew": found.size}

    def steps(self, name: str) -> dict[str, Number]:
        """Return how alike maps are with the last layer shuffled and with all, where these are two steps."""
        found = alike_by_step(self.found.likeness[name])
        if len(found) < 2 or not np.isfinite(found[[0, -1]]).all():
            return {}
        return {"alike_last": float(found[0]), "alike_all": float(found[-1])}

    def alikeness(self) -> Table:
        """Say how alike a method's maps are to those of shuffled weights, and of another class."""
        rows = []
        for name, verdict in self.verdicts.items():
            steps = [estimate(step) for step in self.found.likeness[name].shuffled[[0, -1]]]
            ends = [None if one is None else one.mean for one in steps]
            cells = (*ends, *_cells(verdict.alike), *_cells(verdict.other))
            rows.append((NAMES[name], *(None if one is None else round(one, 3) for one in cells)))
        evidence = Evidence(n=self.again, interval="bootstrap")
        return Table(
            id="alikeness", caption="alikeness", columns=ALIKENESS, rows=tuple(rows), evidence=evidence
        )

    def pointing(self) -> Table:
        """Say how often the first pixel lies in a box, beside the image's middle."""
        boxed = self.found.orders[CENTRE].hit >= 0
        centre = self.found.orders[CENTRE].hit[boxed]
        rows = []
        for name in (*self.found.about.methods, CENTRE):
            hit = self.found.orders[name].hit[boxed]
            low, high = wilson(hit.sum(), len(hit))
            over = estimate((hit - centre).astype(np.float64)) if name != CENTRE else None
            # Of equal differences every sample of the bootstrap has the same mean, however few they are.
            ends = None if over is None or over.low == over.high else over.ends
            beside = (None if over is None else over.mean, ends)
            rows.append((NAMES[name], (int(hit.sum()), len(hit)), (float(low), float(high)), *beside))
        evidence = Evidence(n=int(boxed.sum()))
        return Table(id="pointing", caption="pointing", columns=POINTING, rows=tuple(rows), evidence=evidence)

    def images(self, probes: Mapping[int, Pictured]) -> list[ImagePart]:
        """Say of each image what lies under its curves."""
        share, parts = self.found.images.share, []
        areas = {name: order.areas(share) for name, order in self.found.orders.items()}
        for place, image_id in enumerate(self.found.images.image_id.tolist()):
            rows = tuple(
                (NAMES[name], float(gone[place]), float(come[place])) for name, (gone, come) in areas.items()
            )
            table = Table(id=f"scorecard-{image_id}", caption="image", columns=IMAGE, rows=rows)
            parts.append(ImagePart(image_id=image_id, path=probes[image_id].path, blocks=(table,)))
        return parts


def add_scorecard(
    section: SectionDraft,
    found: Scorecard | Status,
    probes: Mapping[int, Pictured],
    fixed: Collection[str] = (),
) -> None:
    """Show which methods pass and which fail, or say why nothing was measured.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their paths, by image.
    fixed
        Methods whose maps show nothing of the image (`GradientsFile.about`).
    """
    if isinstance(found, Status):
        section.status = found
        return
    drawing = _Drawing(section, found, verdicts_of(found))
    section.numbers |= _numbers(drawing)
    order = sorted(drawing.verdicts, key=lambda name: not drawing.verdicts[name].fails)
    for name in order:
        said = _said(name, drawing.verdicts[name]) | drawing.blank(name) | drawing.steps(name)
        said["fixed"] = int(name in fixed)
        section.add(Text(caption="verdict", numbers=said))
    section.add(drawing.courses())
    section.add(drawing.areas())
    section.add(drawing.likeness())
    section.add(drawing.alikeness())
    if (found.orders[CENTRE].hit >= 0).any():
        section.add(drawing.pointing())
    section.images += drawing.images(probes)


def _numbers(drawing: _Drawing) -> dict[str, Number]:
    """Return what the section says."""
    found, verdicts = drawing.found, drawing.verdicts
    about, images, known = found.about, found.images, knowledge(found)
    failing = [NAMES[name] for name, one in verdicts.items() if one.fails]
    numbers: dict[str, Number] = {
        "images": len(images.image_id), "by_label": int(images.by_label.sum()), "again": drawing.again,
        "methods": len(verdicts), "failing": len(failing), "failing_names": ", ".join(failing),
        "passing": sum(one.passes for one in verdicts.values()),
        "threshold": ALIKE, "least": LEAST, "fill": about.fill,
        "steps": len(images.share) - 1, "repeats": about.repeats, "seed": about.seed,
        "with_integrated": int("integrated_gradients" in verdicts),
        "window": about.window, "layers": len(about.layers), "cascade": len(images.shuffled),
        "outputs": about.outputs, "boxed": int((found.orders[CENTRE].hit >= 0).sum()),
        "centre_hits": int((found.orders[CENTRE].hit == 1).sum()),
        "whole": float(found.orders[CENTRE].deletion[:, 0].mean()),
    }  # fmt: skip
    numbers["unsure"] = int(_is_unsure(numbers))
    numbers |= _outcomes("order", [one.order for one in verdicts.values()])
    numbers |= _outcomes("weights", [one.weights for one in verdicts.values()])
    if known is not None:
        numbers |= {
            "known": known.mean + 1 / about.outputs, "known_n": known.n,
            "known_ends": tuple(one + 1 / about.outputs for one in known.ends),
            "unknown": int(known.low <= 0 and known.n >= LEAST), "chance": 1 / about.outputs,
        }  # fmt: skip
    inside = images.inside[~np.isnan(images.inside)]
    if len(inside):
        numbers["inside"] = float(inside.mean())
    return numbers


def _is_unsure(numbers: Mapping[str, Any]) -> bool:
    """Tell whether predicted classes, where these are followed, have hardly more than an even guess."""
    even = 1 / numbers["outputs"]
    whole = numbers["whole"]
    return not numbers["by_label"] and even < 1 and whole < 2 * even and whole - even < UNSURE


def _outcomes(of: str, outcomes: Sequence[Outcome]) -> dict[str, Number]:
    """Count how many methods pass and how many fail one of the questions."""
    return {f"{of}_passes": outcomes.count("passes"), f"{of}_fails": outcomes.count("fails")}


def _said(name: str, verdict: Verdict) -> dict[str, Number]:
    """Return what is said of a method."""
    said: dict[str, Number] = {
        "name": NAMES[name], "fails": int(verdict.fails), "passes": int(verdict.passes),
        "order": verdict.order, "weights": verdict.weights, "of_class": verdict.of_class,
    }  # fmt: skip
    named = {
        "deletion": verdict.deletion, "insertion": verdict.insertion,
        "centre_deletion": verdict.over_centre[0], "centre_insertion": verdict.over_centre[1],
        "alike": verdict.alike, "other": verdict.other,
    }  # fmt: skip
    for of, one in named.items():
        if one is not None:
            said |= {of: one.mean, f"{of}_ends": one.ends}
            if of in COUNTED:
                said[f"{of}_n"] = one.n
    return said | {"places": _places(verdict)}


def _places(verdict: Verdict) -> int:
    """Return how many decimals percentage points need: two digits of the largest, at least one."""
    largest = 100 * max(map(abs, (*verdict.deletion.ends, *verdict.insertion.ends)))
    return max(1, 1 - int(np.floor(np.log10(largest)))) if largest > 0 else 1


def _plain(one: Estimate | None) -> tuple[float, float, float]:
    return (np.nan,) * 3 if one is None else (one.mean, one.low, one.high)


def _cells(one: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None,) * 3 if one is None else (one.mean, one.low, one.high)
