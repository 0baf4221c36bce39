"""The section of similar units: how near the nearest unit is, layer by layer, and each unit's nearest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, UnitLink, UnitPart
from pipeline.contents.values import Cell, Column, Evidence, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.formats.activations import INPUT
from pipeline.formats.similar_units import SimilarLayer, SimilarUnits
from pipeline.formats.status import Status
from pipeline.numerics.intervals import largest_correlation_by_chance
from pipeline.store.tables import write_table

COLUMNS = (
    Column(name="layer"),
    Column(name="units", form="count"),
    Column(name="constant_units", form="count"),
    Column(name="tenth", form="number"),
    Column(name="median", form="number"),
    Column(name="ninetieth", form="number"),
    Column(name="chance", form="number"),
    Column(name="twins", form="count"),
)
UNIT_FACTS = (Column(name="nearest", form="number"), Column(name="constant", form="count"))
RELATED = ("same-layer", "other-layers")
# Units that a page names, and that it shows where so many of those that are kept are drawn.
NAMED = 5
Drawn = Mapping[str, Collection[int]]
# A correlation from which one unit says what the other does.
TWIN = 0.99
_SPREAD = (10, 50, 90)  # percentiles of a layer's units
_INCHES, _ROW = 4.8, 0.22


@dataclass(frozen=True)
class Summary:
    """A layer in numbers.

    Attributes
    ----------
    layer, units, constant
        Its name, how many units it has, and how many of these are as strong on every image.
    spread
        Tenth percentile, median and ninetieth percentile of each unit's largest correlation within the layer;
        None where no unit has a neighbour.
    chance
        Where the largest correlation would lie were the units independent: half of the time below.
    twins
        Units with a correlation of `TWIN` or more.
    """

    layer: str
    units: int
    constant: int
    spread: tuple[float, float, float] | None
    chance: float
    twins: int

    @classmethod
    def of(cls, name: str, layer: SimilarLayer, images: int) -> Summary:
        """Sum a layer up."""
        units, first, varying = len(layer.varies), _first(layer), int(layer.varies.sum())
        if not len(first):
            return cls(name, units, units - varying, None, 0.0, 0)
        low, median, high = np.percentile(first, _SPREAD).tolist()
        chance = largest_correlation_by_chance(varying - 1, images)
        twins = int(np.count_nonzero(first >= TWIN))
        return cls(name, units, units - varying, (low, median, high), chance, twins)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """As of `COLUMNS`."""
        found = (*self.spread, self.chance) if self.spread else (None,) * 4
        return (self.layer, self.units, self.constant, *found, self.twins)


def add_similar_units(section: SectionDraft, found: SimilarUnits | Status, drawn: Drawn) -> None:
    """Say how near the nearest unit is in each layer and of each unit, or why that is not known.

    Parameters
    ----------
    section
        It is added to.
    found
        What is known.
    drawn
        By layer, the units that have pictures: of these more are named where the nearest have none.
    """
    if isinstance(found, Status):
        section.status = found
        return
    summaries = [Summary.of(name, layer, found.images) for name, layer in found.layers.items()]
    section.numbers |= _numbers(found, summaries)
    section.layers += [_part(one, found, drawn) for one in summaries]
    if any(one.spread for one in summaries):
        section.add(_figure(section, summaries, found.images))
    section.add(blocks.Table(
        id="layers", caption="layers", columns=COLUMNS, rows=tuple(one.cells for one in summaries),
        evidence=Evidence(n=found.images),
    ))  # fmt: skip


def _first(layer: SimilarLayer) -> NDArray[np.float32]:
    """Return the largest correlation of each unit that has a neighbour in its layer."""
    first = layer.correlation[:, 0]
    return first[np.isfinite(first)]


def _numbers(found: SimilarUnits, summaries: Sequence[Summary]) -> dict[str, int | float]:
    first = np.concatenate([_first(layer) for layer in found.layers.values()])
    numbers: dict[str, int | float] = {
        "images": found.images,
        "layers": len(found.layers),
        "units": sum(one.units for one in summaries),
        "constant": sum(one.constant for one in summaries),
        "twins": sum(one.twins for one in summaries),
        "twin": TWIN,
        "compared": len(first),
        "layers_by_input": sum(layer.ranked_by == INPUT for layer in found.layers.values()),
        "across": int(any(layer.far_unit is not None for layer in found.layers.values())),
    }
    return numbers | ({"median": float(np.median(first))} if len(first) else {})


def _part(one: Summary, found: SimilarUnits, drawn: Drawn) -> LayerPart:
    layer, evidence = found.layers[one.layer], Evidence(n=found.images)
    facts = [
        Fact(name="constant_units", value=(one.constant, one.units), form="proportion", evidence=evidence)
    ]
    if one.spread:
        facts.append(Fact(name="median", value=one.spread[1], evidence=evidence))
        facts.append(Fact(name="twins", value=(one.twins, one.units), form="proportion", evidence=evidence))
    units = tuple(_unit(unit, one.layer, found, drawn) for unit in range(one.units))
    far = layer.far_unit is not None
    chance = {"chance": one.chance} if one.spread else {}
    numbers = {"images": found.images, "by_input": int(layer.ranked_by == INPUT), "kept": layer.unit.shape[1]}
    return LayerPart(
        layer=one.layer, facts=tuple(facts), unit_facts=UNIT_FACTS, unit_related=RELATED[: 1 + far],
        numbers=numbers | chance, units=units,
    )  # fmt: skip


def _unit(unit: int, name: str, found: SimilarUnits, drawn: Drawn) -> UnitPart:
    layer, names = found.layers[name], list(found.layers)
    first = float(layer.correlation[unit, 0])
    facts = (None if np.isnan(first) else first, None if layer.varies[unit] else found.images)
    # One without pictures of its own names the nearest alone: there may be tens of thousands.
    shown, most = (drawn, layer.unit.shape[1]) if unit in drawn.get(name, ()) else ({}, NAMED)
    near = _links([name] * most, layer.unit[unit, :most], layer.correlation[unit, :most])
    groups = [tuple(_named(near, shown))]
    if layer.far_layer is not None and layer.far_unit is not None and layer.far_correlation is not None:
        others = [names[place] for place in layer.far_layer[unit, :most].tolist()]
        far = _links(others, layer.far_unit[unit, :most], layer.far_correlation[unit, :most])
        groups.append(tuple(_named(far, shown)))
    return UnitPart(unit=unit, facts=facts, related=tuple(groups))


def _named(links: Sequence[UnitLink], drawn: Drawn) -> Iterator[UnitLink]:
    """Yield the nearest units, and after them those that are drawn until there are enough of these."""
    pictures = 0
    for place, link in enumerate(links):
        has_picture = link.unit in drawn.get(link.layer, ())
        if place < NAMED or (has_picture and pictures < NAMED):
            pictures += has_picture
            yield link


def _links(
    names: Sequence[str], units: NDArray[np.int64], correlations: NDArray[np.float32]
) -> list[UnitLink]:
    return [
        UnitLink(name, unit, round(value, 3))
        for name, unit, value in zip(names, units.tolist(), correlations.tolist(), strict=False)
        if unit >= 0
    ]


def _figure(section: SectionDraft, summaries: Sequence[Summary], images: int) -> blocks.Figure:
    """Draw each layer's median and spread beside what chance would give."""
    names = [ending(one.layer) for one in summaries if one.spread]
    chance = [one.chance for one in summaries if one.spread]
    low, median, high = np.transpose([one.spread for one in summaries if one.spread]).tolist()
    data = "nearest.csv"
    write_table(section.folder / data, [column.name for column in COLUMNS], (one.cells for one in summaries))

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        rows = range(len(names))
        axes.hlines(rows, low, high, theme.accent, lw=2)
        axes.plot(median, rows, "o", color=theme.accent, ms=5, label="median unit, middle 80 %")
        axes.plot(chance, rows, "|", color=theme.ink, ms=9, mew=1.5, label="by chance")
        axes.set_yticks(rows, names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(right=1.02)
        axes.set_xlabel("correlation with the nearest unit of the layer")
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2)

    files = plot(section.folder, "nearest", (_INCHES, 1.1 + _ROW * len(names)), paint)
    return blocks.Figure(
        id="nearest", caption="nearest", data=data, evidence=Evidence(n=images), **files,
        numbers={"layers": len(names), "median_low": min(median), "median_high": max(median)},
    )  # fmt: skip
