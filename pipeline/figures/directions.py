"""The section of directions: what is strongest along them beside units, how pure both are, and rotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.slugs import layer_file, layer_slug
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.figures.drawing.strips import UnitTiles, patch_overview
from pipeline.figures.winners import Names
from pipeline.formats.activations import INPUT
from pipeline.formats.directions import (
    FILE,
    PCA,
    RANDOM,
    UNIT,
    DirectedLayer,
    DirectionsFile,
    Kind,
    Rotations,
)
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

LABELS = {UNIT: "units", RANDOM: "random directions", PCA: "principal components", FILE: "given directions"}
WINNERS = (
    "kind", "name", "rank", "value", "image_id", "path", "label", "y", "x", "x0", "y0", "x1", "y1",
)  # fmt: skip
COMPARED = (
    Column(name="layer"), Column(name="kind"), Column(name="units", form="count"),
    Column(name="units_mean", form="number"), Column(name="directions", form="count"),
    Column(name="directions_mean", form="number"), Column(name="effect", form="number"),
    Column(name="p_value", form="number"),
)  # fmt: skip
ROTATED = (
    Column(name="first"), Column(name="activation"), Column(name="second"),
    Column(name="channels", form="count"), Column(name="with_activation", form="number"),
    Column(name="without_activation", form="number"),
)  # fmt: skip
BINS = 20
CHANCE = 0.05


@dataclass(frozen=True)
class DirectionTiles(UnitTiles):
    """What is drawn of a direction: as of a unit, but for what is said of it."""

    name: str = ""
    about: str = ""

    @property
    def reason(self) -> str:
        """Why the last places are empty: along a direction every image has a value."""
        return "no further different image"

    @property
    def title(self) -> str:
        """What it is called in an overview."""
        return short(self.name, 20)

    @property
    def note(self) -> str:
        """What is said of it there."""
        return self.about


def shown_images(found: DirectionsFile) -> NDArray[np.int64]:
    """Return the images of all places that are drawn, each once."""
    ids = [np.empty(0, np.int64)]
    for layer in found.about.layers:
        for name in found.kinds(layer):
            kind = found.kind(layer, name)
            taken = kind.image_id[kind.shown[:, None], kind.place]
            ids.append(taken[kind.place >= 0])
    return np.unique(np.concatenate(ids))


def add_directions(section: SectionDraft, found: DirectionsFile | Status, names: Names) -> None:
    """Draw the section, or say why there is none; `names` of the images that are shown."""
    if isinstance(found, Status):
        section.status = found
        return
    compared = []
    for name in found.about.layers:
        one = LayerDirections(section.folder, name, found, names)
        section.add(*one.drawn())
        section.layers.append(LayerPart(layer=name, facts=one.facts()))
        compared += one.rows()
    about = found.about
    section.numbers |= {
        "images": about.images, "k": about.k, "classes": about.classes, "layers": len(about.layers),
        "given": sum(FILE in found.kinds(name) for name in about.layers), "compared": len(compared),
    }  # fmt: skip
    if about.classes > 1:
        alike = np.log(min(about.k, about.classes)) / np.log(about.classes)
        section.numbers["lowest_purity"] = float(1 - alike)
    section.numbers |= _beside_random([found.layer(name) for name in about.layers])
    if compared:
        section.add(_comparison(compared, about.images))
    _add_rotations(section, found.rotations())


def _beside_random(layers: Sequence[DirectedLayer]) -> dict[str, Number]:
    """Count the layers whose units differ from random directions beyond what chance explains."""
    found = [layer.compared[RANDOM] for layer in layers if RANDOM in layer.compared]
    clear = [one.effect for one in found if one.p_value < CHANCE]
    return {
        "random_compared": len(found),
        "random_purer": sum(effect > 0 for effect in clear),
        "random_less": sum(effect < 0 for effect in clear),
    }


def _comparison(rows: Sequence[tuple[Cell, ...]], images: int) -> blocks.Table:
    return blocks.Table(
        id="comparison", caption="comparison", columns=COMPARED, rows=tuple(rows),
        evidence=Evidence(n=images),
    )  # fmt: skip


def _add_rotations(section: SectionDraft, found: Rotations) -> None:
    """Say what rotations change, or why none could be measured."""
    if found.reason:
        section.add(blocks.Notice(caption="no-pairs", numbers={"reason": found.reason}))
        return
    if not found.first:
        return
    rows = tuple(
        (first, activation or None, second, channels, _known(kept), _known(taken_out))
        for first, activation, second, channels, kept, taken_out in zip(
            found.first, found.activation, found.second, found.channels.tolist(),
            found.with_activation.tolist(), found.without_activation.tolist(), strict=True,
        )
    )  # fmt: skip
    numbers: dict[str, Number] = {"pairs": found.pairs, "measured": len(rows)}
    for name, values in (("kept", found.with_activation), ("taken_out", found.without_activation)):
        if np.isfinite(values).any():
            numbers[f"{name}_most"] = float(np.nanmax(values))
    if "kept_most" in numbers:
        numbers["kept_least"] = float(np.nanmin(found.with_activation))
    section.add(
        blocks.Table(
            id="rotation",
            caption="rotation",
            columns=ROTATED,
            rows=rows,
            numbers=numbers,
            evidence=Evidence(n=found.images),
        )
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


@dataclass(frozen=True)
class LayerDirections:
    """Draws what is known of a layer into a section's folder, in a folder of the layer's own.

    Attributes
    ----------
    folder
        The section's.
    layer
        Its name.
    source, names
        Where directions, and paths and labels come from.
    """

    folder: Path
    layer: str
    source: DirectionsFile
    names: Names

    @cached_property
    def about(self) -> DirectedLayer:
        """What is known of it besides its kinds."""
        return self.source.layer(self.layer)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Its kinds, units first."""
        return {name: self.source.kind(self.layer, name) for name in self.source.kinds(self.layer)}

    def drawn(self) -> list[blocks.Block]:
        """Draw the overviews of each kind side by side, and how pure in class they are."""
        (self.folder / layer_slug(self.layer)).mkdir()
        write_table(self.folder / layer_file(self.layer, "directions.csv"), WINNERS, self._winners())
        figures = tuple(self._overview(name, kind) for name, kind in self.kinds.items())
        drawn: list[blocks.Block] = [
            blocks.Multiples(
                id=f"directions-{layer_slug(self.layer)}", caption="layer", wide=True, figures=figures,
                numbers=self._numbers(),
            )
        ]  # fmt: skip
        if self.about.compared:
            drawn.append(self._purity())
        return drawn

    def facts(self) -> tuple[Fact, ...]:
        """Return how much purer units are than directions of each kind."""
        return tuple(
            Fact(
                name=f"effect_{kind}", value=found.effect,
                evidence=Evidence(n=found.units + found.directions, of="units and directions"),
            )
            for kind, found in self.about.compared.items()
        )  # fmt: skip

    def rows(self) -> list[tuple[Cell, ...]]:
        """Return the lines of the table of comparisons."""
        return [
            (
                self.layer, LABELS[kind], found.units, found.units_mean, found.directions,
                found.directions_mean, found.effect, found.p_value,
            )
            for kind, found in self.about.compared.items()
        ]  # fmt: skip

    def _numbers(self) -> dict[str, Number]:
        about = self.source.about
        return {
            "layer": self.layer, "units": self.about.units, "k": about.k, "images": about.images,
            "by_input": int(self.about.ranked_by == INPUT), "components_of": self.about.components_of,
            "positions": int(np.prod(self.about.geometry.map_size)),
        }  # fmt: skip

    def _overview(self, name: str, kind: Kind) -> blocks.Figure:
        tiles = [self._tiles(name, kind, row) for row in range(len(kind.shown))]
        about = self.source.about
        heading = f"{LABELS[name]} of {self.layer}"
        canvas = patch_overview(tiles, heading, f"top {about.k} of {about.images:,} images")
        numbers = self._numbers() | {
            "kind": name,
            "shown": len(kind.shown),
            "of": len(kind.names),
            "negative": 0,
        }
        if name != UNIT:
            numbers["negative"] = int(kind.value[kind.shown].min(initial=0) < 0)
        return blocks.Figure(
            id=f"{name}-{layer_slug(self.layer)}", caption="kind", numbers=numbers,
            data=layer_file(self.layer, "directions.csv"), evidence=Evidence(n=about.images),
            **canvas.save(self.folder, layer_file(self.layer, name)),
        )  # fmt: skip

    def _tiles(self, name: str, kind: Kind, row: int) -> UnitTiles:
        number = int(kind.shown[row])
        place = kind.place[row]
        patches = self.source.patches(self.layer, name, row)
        value = np.where(place >= 0, kind.value[number, place], -np.inf).astype(np.float32)
        images, active = self.source.about.images, int(kind.count_active[number])
        passed_over = int((kind.duplicate[number] & (kind.value[number] > 0)).sum())
        if name == UNIT:
            return UnitTiles(number, value, patches.pixels, patches.mask, active, images, passed_over)
        said = "" if kind.variance is None else f"{100 * kind.variance[number]:.2g} % of variance"
        return DirectionTiles(
            number, value, patches.pixels, patches.mask, active, images, passed_over, kind.names[number], said
        )

    def _winners(self) -> Iterator[Sequence[object]]:
        """A line for each place that is filled."""
        for name, kind in self.kinds.items():
            for number, places in zip(kind.shown.tolist(), kind.place.tolist(), strict=True):
                for rank, place in enumerate(one for one in places if one >= 0):
                    image_id = int(kind.image_id[number, place])
                    yield (
                        name, kind.names[number], rank + 1, float(kind.value[number, place]), image_id,
                        self.names.path[image_id], self.names.label[image_id],
                        *kind.position[number, place].tolist(), *kind.box[number, place].tolist(),
                    )  # fmt: skip

    def _purity_id(self) -> str:
        """Name the figure: the last layer's, which is the code where that is looked at, is the section's."""
        return "purity" if self.layer == self.source.about.layers[-1] else f"purity-{layer_slug(self.layer)}"

    def _purity(self) -> blocks.Figure:
        """Draw the distributions of purity, a row each kind."""
        shown = {name: kind.purity[~np.isnan(kind.purity)] for name, kind in self.kinds.items()}
        shown = {name: values for name, values in shown.items() if len(values)}
        rows = (
            (name, self.kinds[name].names[number], value)
            for name in shown
            for number, value in enumerate(self.kinds[name].purity.tolist())
        )
        data, stem = layer_file(self.layer, "purity.csv"), layer_file(self.layer, "purity")
        write_table(self.folder / data, ("kind", "name", "purity"), [row for row in rows if row[2] == row[2]])
        paint = partial(_paint_purity, shown=shown)
        files = plot(self.folder, stem, (4.4, 0.7 + 0.85 * len(shown)), paint)
        counts = {f"n_{name}": len(values) for name, values in shown.items()}
        numbers = self._numbers() | {"classes": self.source.about.classes, **counts}
        for kind, found in self.about.compared.items():
            numbers |= {f"effect_{kind}": found.effect, f"p_{kind}": found.p_value}
        return blocks.Figure(
            id=self._purity_id(), caption="purity", data=data, numbers=numbers,
            evidence=Evidence(n=sum(counts.values()), of="units and directions"), **files,
        )  # fmt: skip


def _paint_purity(figure: Figure, theme: Theme, shown: Mapping[str, NDArray[np.float64]]) -> None:
    """A histogram a kind, of the share that each bin has, the mean marked."""
    low = min(values.min() for values in shown.values())
    edges = np.linspace(min(low, 0.99), 1, BINS + 1)
    rows = figure.subplots(len(shown), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(rows, shown.items(), strict=True):
        ink = theme.accent if name == UNIT else theme.contrast
        share = np.histogram(values, edges)[0] / len(values)
        axes.bar(edges[:-1], 100 * share, np.diff(edges), align="edge", color=ink, alpha=0.75)
        axes.axvline(values.mean(), color=theme.ink, linewidth=1.2)
        axes.set_title(
            f"{LABELS[name]}, n = {len(values):,}, mean {values.mean():.3f}", loc="left", fontsize=9
        )
        axes.set_ylabel("%")
    rows[-1].set_xlabel("class purity of the images shown")
