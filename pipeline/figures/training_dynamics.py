"""How a network's layers changed while it was trained: sparsity, localisation, filters, accuracy, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from pipeline.analyses.training_dynamics.course import Course, course
from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.courses import MOST_NAMED, Line, by_step, height, paint_lines
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.extremes import Bounded, clear_extremes
from pipeline.figures.maps_over_time import add_maps, steps_of
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.formats.training_dynamics import Checkpoints, DynamicsFile
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

MEASURES = ("zeros", "localisation")
WIDTH = 3.5  # inches; several stand side by side
HEIGHT = 2.7
ROW = 0.27  # inches


@dataclass(frozen=True)
class Courses:
    """A measure of every layer that has it, by layer, and what its axis is called."""

    measure: str
    axis: str
    layers: Mapping[str, Course]

    def ends(self) -> dict[str, Number]:
        """Return the layers of the least and the most at the last checkpoint, where these are clearly two.

        Of a single layer its name and its ``last_value``.
        """
        last = {
            name: Bounded(*(float(values[-1]) for values in (one.mean, one.low, one.high)))
            for name, one in self.layers.items()
        }
        if len(last) > 1:
            return clear_extremes(last)
        ((name, one),) = last.items()
        return {"only": name, "last_value": one.value}

    def counted(self) -> dict[str, int]:
        """Count the layers in which it rose, fell, and did neither as far as can be told."""
        directions = [one.direction for one in self.layers.values()]
        return {
            f"{self.measure}_layers": len(directions),
            f"{self.measure}_up": directions.count(1),
            f"{self.measure}_down": directions.count(-1),
        }


def add_training_dynamics(
    section: SectionDraft, found: DynamicsFile | Status, images: int, pictured: Pictured | None
) -> None:
    """Draw how the layers changed from checkpoint to checkpoint, or say why that is not known.

    Parameters
    ----------
    section
        Figures and numbers are added to it.
    found
        The artifact.
    images
        Of the dataset, of which the sample was drawn.
    pictured
        The image whose maps are shown; None where there is none.
    """
    if isinstance(found, Status):
        section.status = found
        return
    axes = {"zeros": "outputs that are zero, %", "localisation": "mass in the strongest tenth, %"}
    courses = [Courses(name, axes[name], _courses(found, name)) for name in MEASURES]
    _add_numbers(section, found, courses, images)
    _write_courses(section, found.checkpoints, courses)
    evidence = Evidence(n=len(found.sample.image_id), interval="bootstrap")
    groups = {
        "courses": [_lines(section, found.checkpoints, one, evidence) for one in courses if one.layers],
        "changes": [_changes(section, one, evidence) for one in courses if one.layers],
        "network": [*_accuracy(section, found), *_smoothness(section, found.checkpoints)],
    }
    for name, figures in groups.items():
        if figures:
            section.add(blocks.Multiples(id=name, caption=name, figures=tuple(figures)))
    add_maps(section, found, pictured)
    section.layers += [_layer_part(name, courses, evidence) for name in found.about.layers]


def _courses(found: DynamicsFile, measure: str) -> dict[str, Course]:
    made = {}
    for name in found.about.layers:
        one = course(getattr(found.layer(name), measure), found.about.seed)
        if one is not None:
            made[name] = one
    return made


def _add_numbers(section: SectionDraft, found: DynamicsFile, courses: Sequence[Courses], images: int) -> None:
    checkpoints, sample = found.checkpoints, found.sample
    labels, scored = steps_of(checkpoints).labels, int(sample.scored.sum())
    section.numbers |= {
        "sample": len(sample.image_id), "sampled": int(len(sample.image_id) < images),
        "checkpoints": len(labels), "first": labels[0], "last": labels[-1],
        "numbered": int(steps_of(checkpoints).numbered), "layers": len(found.about.layers),
        "initial": int(checkpoints.initial == 0), "held_out": found.about.held_out,
        "basis": found.about.basis,
    }  # fmt: skip
    for one in courses:
        section.numbers |= one.counted()
    if scored:
        section.numbers |= {
            "accuracy_first": sample.right[0] / scored,
            "accuracy_last": sample.right[-1] / scored,
        }
    if np.isfinite(checkpoints.smoothness).all() and found.about.first_convolution:
        section.numbers |= {
            "convolution": found.about.first_convolution,
            "smoothness_first": checkpoints.smoothness[0], "smoothness_last": checkpoints.smoothness[-1],
            "smoothness_of_noise": checkpoints.smoothness_of_noise[0],
        }  # fmt: skip


def _write_courses(section: SectionDraft, checkpoints: Checkpoints, courses: Sequence[Courses]) -> None:
    columns = ("measure", "layer", "checkpoint", "epoch", "mean", "low", "high", "images")
    rows = [
        (one.measure, layer, name, epoch, *ends, course.images)
        for one in courses
        for layer, course in one.layers.items()
        for name, epoch, *ends in zip(
            checkpoints.name, checkpoints.epoch.tolist(), course.mean.tolist(), course.low.tolist(),
            course.high.tolist(), strict=True,
        )
    ]  # fmt: skip
    write_table(section.folder / "courses.csv", columns, rows)


def _lines(
    section: SectionDraft, checkpoints: Checkpoints, courses: Courses, evidence: Evidence
) -> blocks.Figure:
    lines = {
        name: Line(100 * one.mean, 100 * one.low, 100 * one.high) for name, one in courses.layers.items()
    }
    steps, size = steps_of(checkpoints), (WIDTH, height(len(lines)))

    def paint(figure: Figure, theme: Theme) -> None:
        paint_lines(figure, theme, steps, lines, courses.axis)

    files = plot(section.folder, courses.measure, size, paint)
    return blocks.Figure(
        id=courses.measure, caption=courses.measure, data="courses.csv", evidence=evidence,
        numbers={"drawn": len(lines), "named": MOST_NAMED, **courses.ends()}, **files,
    )  # fmt: skip


def _accuracy(section: SectionDraft, found: DynamicsFile) -> list[blocks.Figure]:
    """Draw the accuracy at each checkpoint; nothing where no image's class is known."""
    scored, right = int(found.sample.scored.sum()), found.sample.right
    if not scored:
        return []
    low, high = wilson(right, np.full(len(right), scored))
    names = found.checkpoints.name
    rows = [(*one, scored) for one in zip(names, right.tolist(), low.tolist(), high.tolist(), strict=True)]
    write_table(section.folder / "accuracy.csv", ("checkpoint", "right", "low", "high", "images"), rows)

    def paint(figure: Figure, theme: Theme) -> None:
        axes, steps = figure.add_subplot(), np.arange(len(right))
        axes.vlines(steps, 100 * low, 100 * high, color=theme.accent, linewidth=2)
        axes.plot(steps, 100 * right / scored, "o-", color=theme.accent, linewidth=1, markersize=5)
        axes.set_ylim(-2, 102)
        axes.set_ylabel("accuracy, %")
        by_step(axes, steps_of(found.checkpoints))

    files = plot(section.folder, "accuracy", (WIDTH, HEIGHT), paint)
    evidence = Evidence(n=scored, split=found.about.held_out, interval="wilson")
    return [blocks.Figure(id="accuracy", caption="accuracy", data="accuracy.csv", evidence=evidence, **files)]


def _smoothness(section: SectionDraft, checkpoints: Checkpoints) -> list[blocks.Figure]:
    """Draw the smoothness of the first convolution's filters; nothing where there is none."""
    smooth, noise = checkpoints.smoothness, 2 * checkpoints.smoothness_of_noise
    if not np.isfinite(smooth).all():
        return []
    rows = zip(checkpoints.name, smooth.tolist(), checkpoints.smoothness_of_noise.tolist(), strict=True)
    columns = ("checkpoint", "smoothness", "standard_deviation_of_noise")
    write_table(section.folder / "smoothness.csv", columns, [*rows])

    def paint(figure: Figure, theme: Theme) -> None:
        axes, steps = figure.add_subplot(), np.arange(len(smooth))
        axes.fill_between(steps, -noise, noise, color=theme.soft, alpha=0.3, linewidth=0)
        axes.plot(steps, smooth, "o-", color=theme.accent, linewidth=1, markersize=5)
        axes.set_ylim(min(-0.1, float(smooth.min()) - 0.05), 1.02)
        axes.set_ylabel("smoothness (1: constant, 0: noise)")
        by_step(axes, steps_of(checkpoints))

    files = plot(section.folder, "smoothness", (WIDTH, HEIGHT), paint)
    evidence = Evidence(n=len(smooth), of="checkpoints")
    return [
        blocks.Figure(
            id="smoothness", caption="smoothness", data="smoothness.csv", evidence=evidence, **files
        )
    ]


def _changes(section: SectionDraft, courses: Courses, evidence: Evidence) -> blocks.Figure:
    name, layers = f"change-{courses.measure}", courses.layers
    rows = [(layer, one.change, one.change_low, one.change_high, one.images) for layer, one in layers.items()]
    write_table(section.folder / f"{name}.csv", ("layer", "change", "low", "high", "images"), rows)

    def paint(figure: Figure, theme: Theme) -> None:
        axes, place = figure.add_subplot(), np.arange(len(layers))
        change, low, high = (100 * np.array([row[column] for row in rows], float) for column in (1, 2, 3))
        axes.axvline(0, color=theme.soft, linewidth=1)
        axes.hlines(place, low, high, color=theme.accent, linewidth=2)
        axes.plot(change, place, "o", color=theme.accent, markersize=5)
        axes.set_yticks(place, [ending(layer, 20) for layer in layers])
        axes.set_ylim(len(layers) - 0.4, -0.6)
        axes.set_xlabel("change, percentage points")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_axisbelow(True)

    files = plot(section.folder, name, (WIDTH, 0.9 + ROW * len(layers)), paint)
    return blocks.Figure(id=name, caption=name, data=f"{name}.csv", evidence=evidence, **files)


def _layer_part(name: str, courses: Sequence[Courses], evidence: Evidence) -> LayerPart:
    facts = []
    for one in courses:
        if name in one.layers:
            for when, place in (("first", 0), ("last", -1)):
                value = float(one.layers[name].mean[place])
                fact = Fact(name=f"{one.measure}_{when}", value=value, form="share", evidence=evidence)
                facts.append(fact)
    return LayerPart(layer=name, facts=tuple(facts))
