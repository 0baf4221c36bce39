"""The section of gradients: which pixels of each probe its class's score depends on, method by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pipeline.analyses.attribution.importance import importance
from pipeline.contents.blocks import Figure, Multiples, Table
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Column, Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.overlays.methods import (
    TITLES,
    Panel,
    block_of,
    draw_columns,
    draw_panels,
    image_panel,
    panel_of,
)
from pipeline.formats.gradients import GradientsFile
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.numerics.maps import localisation
from pipeline.store.tables import write_table

COLUMNS = (
    Column(name="method"), Column(name="tenth", form="share"), Column(name="alike", form="number"),
)  # fmt: skip
DATA = ("image_id", "method", "full_scale", "largest", "smallest", "y", "x", "strongest_tenth", "as_gradient")
# Panels of a figure: two lines of two, which a phone shows.
_TOGETHER = 4
# A rank correlation beyond which two maps are one, but for how it is rounded.
_SAME = 1 - 1e-9


@dataclass(frozen=True)
class Shown:
    """A method's map on one probe: its picture, and what is said of it.

    Attributes
    ----------
    panel
        The picture.
    largest, smallest, at
        Of how much pixels matter, and y, x of the largest.
    tenth
        Share of what is positive in the tenth of pixels with the largest values; NaN where nothing is.
    alike
        Rank correlation of magnitudes with the gradient's; NaN where there is none.
    """

    panel: Panel
    largest: float
    smallest: float
    at: tuple[int, int]
    tenth: float
    alike: float

    @property
    def is_blank(self) -> bool:
        """Whether the map is zero at every pixel."""
        return self.largest == self.smallest == 0


@dataclass
class Drawing:
    """What is drawn from; maps are read a probe at a time."""

    section: SectionDraft
    found: GradientsFile
    outputs: Sequence[str]
    shown: dict[str, list[Shown]] = field(default_factory=dict)

    def probe(self, place: int, picture: NDArray[np.uint8]) -> list[Panel]:
        """Draw the maps of a probe, and note what is said of them."""
        panels, gradient = [image_panel(picture)], None
        for method in self.found.about.methods:
            values = self.found.values(method, place)
            matters = importance(method, values.transpose(2, 0, 1)[None])[0]
            gradient = matters if method == "saliency" else gradient
            panels.append(panel_of(method, values, picture))
            self.shown.setdefault(method, []).append(_shown(panels[-1], matters, gradient))
        return panels

    def output(self, place: int) -> str:
        """Return the name of the output that is followed."""
        return self.outputs[self.found.probes.output[place]]

    def blocks(self, place: int, panels: Sequence[Panel]) -> tuple[Multiples, ...]:
        """Write the figures of a probe's page."""
        image_id = int(self.found.probes.image_id[place])
        name = f"gradients-{image_id}"
        write_table(self.section.folder / f"{name}.csv", DATA, self.records(place))
        figures = []
        for first in range(0, len(panels), _TOGETHER):
            some = panels[first : first + _TOGETHER]
            numbers: dict[str, Number] = {
                "titles": ", ".join(one.title for one in some), "output": self.output(place),
                "by_label": int(self.found.probes.by_label[place]),
                "score": float(self.found.probes.score[place]),
            }  # fmt: skip
            part = f"{name}-{first // _TOGETHER + 1}"
            figures.append(self.figure(part, "panels", draw_panels(some), f"{name}.csv", numbers))
        return (Multiples(id=name, caption="probe", wide=True, figures=tuple(figures)),)

    def figure(
        self, name: str, caption: str, canvas: Canvas, data: str, numbers: dict[str, Number], n: int = 1
    ) -> Figure:
        """Write a drawing."""
        return Figure(
            id=name, caption=caption, data=data, numbers=numbers, evidence=Evidence(n=n),
            **canvas.save(self.section.folder, name),
        )  # fmt: skip

    def records(self, place: int) -> list[tuple[object, ...]]:
        """Return what is said of a probe's maps."""
        image_id = int(self.found.probes.image_id[place])
        return [
            (
                image_id, method, ones[place].panel.full, ones[place].largest, ones[place].smallest,
                *ones[place].at, _cell(ones[place].tenth), _cell(ones[place].alike),
            )
            for method, ones in self.shown.items()
        ]  # fmt: skip


def add_gradients(
    section: SectionDraft,
    found: GradientsFile | Status,
    probes: Mapping[int, Pictured],
    outputs: Sequence[str],
    *,
    shown: int,
) -> None:
    """Draw the maps of all methods on the probes, or say why there are none.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    outputs
        Names of the network's outputs.
    shown
        Probes on the chapter's page; each has its maps on its own.
    """
    if isinstance(found, Status):
        section.status = found
        return
    drawing, first = Drawing(section, found, outputs), []
    for place, image_id in enumerate(found.probes.image_id.tolist()):
        panels = drawing.probe(place, probes[image_id].pixels)
        first += [(drawing.output(place), panels)] if place < shown else []
        blocks = drawing.blocks(place, panels)
        section.images.append(ImagePart(image_id=image_id, path=probes[image_id].path, blocks=blocks))
    section.numbers |= _numbers(found, drawing)
    _add_columns(drawing, first, probes)
    section.add(_table(drawing))
    if found.about.refused:
        columns = (Column(name="method"), Column(name="reason"))
        refused = tuple((TITLES[method], reason) for method, reason in found.about.refused.items())
        section.add(Table(id="refused", caption="refused", columns=columns, rows=refused))


def _shown(panel: Panel, matters: NDArray[np.float32], gradient: NDArray[np.float32] | None) -> Shown:
    y, x = np.unravel_index(int(matters.argmax()), matters.shape)
    alike = np.nan
    if gradient is not None and np.ptp(gradient) and np.ptp(np.abs(matters)):
        alike = float(spearmanr(gradient.ravel(), np.abs(matters).ravel()).statistic)
    tenth = float(localisation(matters[None])[0])
    return Shown(panel, float(matters.max()), float(matters.min()), (int(y), int(x)), tenth, alike)


def _numbers(found: GradientsFile, drawing: Drawing) -> dict[str, Number]:
    """Return what the section says."""
    about, probes = found.about, found.probes
    numbers: dict[str, Number] = {
        "probes": len(probes.image_id), "by_label": int(probes.by_label.sum()),
        "methods": len(about.methods), "layer": about.layer, "map": about.map_size,
        "spread": int(about.is_spread), "input": about.input_size, "steps": about.steps,
        "samples": about.samples, "noise": about.noise, "seed": about.seed, "positive": int(about.positive),
        "block": block_of(about.input_size),
        "plain": int(_are_plain(drawing)),
    }  # fmt: skip
    blank = {method: sum(one.is_blank for one in ones) for method, ones in drawing.shown.items()}
    if any(blank.values()):
        numbers["blank"] = ", ".join(f"{TITLES[name]} {count}" for name, count in blank.items() if count)
    for method in about.methods:
        numbers[f"with_{method}"] = 1
    if about.fixed:
        numbers["fixed"] = " and ".join(TITLES[method] for method in about.fixed)
    error = probes.relative_error
    if len(error):
        numbers |= {
            "error": float(np.median(error)),
            "error_largest": float(error.max()),
            "errors": len(error),
        }
    return numbers


def _are_plain(drawing: Drawing) -> bool:
    """Tell whether deconvnet or guided backpropagation is the gradient: no rectifier is on the way."""
    rules = [name for name in ("deconvnet", "guided_backprop") if name in drawing.shown]
    if "saliency" not in drawing.shown or not rules:
        return False
    return all(one.alike > _SAME for name in rules for one in drawing.shown[name])


def _add_columns(
    drawing: Drawing, columns: Sequence[tuple[str, Sequence[Panel]]], probes: Mapping[int, Pictured]
) -> None:
    """Draw a column for each of the first probes."""
    ids = drawing.found.probes.image_id.tolist()[: len(columns)]
    records = [record for place in range(len(ids)) for record in drawing.records(place)]
    write_table(drawing.section.folder / "gradients.csv", DATA, records)
    names = "; ".join(
        f"{drawing.output(place)} ({probes[image_id].path})" for place, image_id in enumerate(ids)
    )
    numbers: dict[str, Number] = {"columns": len(ids), "names": names}
    drawing.section.add(
        drawing.figure("gradients", "columns", draw_columns(columns), "gradients.csv", numbers, len(ids))
    )


def _table(drawing: Drawing) -> Table:
    """Say of each method how local its maps are, and how like the gradient's."""
    rows = [
        (TITLES[method], _mean([one.tenth for one in ones]), _mean([one.alike for one in ones]))
        for method, ones in drawing.shown.items()
    ]
    evidence = Evidence(n=len(drawing.found.probes.image_id))
    return Table(id="methods", caption="methods", columns=COLUMNS, rows=tuple(rows), evidence=evidence)


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _cell(value: float) -> float | None:
    return None if np.isnan(value) else value
