"""The section of dead units and sparsity: what is said of each layer and unit, and the lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import Histogram, LayerPart, UnitPart
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Cell, Column, Evidence, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.figures.extremes import extremes
from pipeline.figures.unit_distributions import Distribution
from pipeline.formats.activations import INPUT
from pipeline.formats.status import Status
from pipeline.formats.units import LayerUnits, UnitsFile
from pipeline.store.tables import write_table

# A layer of activations of which fewer outputs are zero does not rest at zero: its zeros say little.
RARE = 0.001
LAYERS = (
    Column(name="layer", form="layer"),
    Column(name="units", form="count"),
    Column(name="apoz", form="share"),
    Column(name="dead", form="count"),
    Column(name="nearly_dead", form="count"),
    Column(name="saturated", form="count"),
    Column(name="selectivity", form="number"),
    Column(name="by_chance", form="number"),
)
UNIT_FACTS = (
    Column(name="state"),
    Column(name="apoz", form="share"),
    Column(name="selectivity", form="number"),
    Column(name="class", form="class"),
    Column(name="median", form="number"),
    Column(name="largest_before", form="number"),
    Column(name="at_top", form="proportion"),
)
DEAD = (
    Column(name="unit", form="unit"),
    Column(name="images", form="count"),
    Column(name="outputs", form="count"),
    Column(name="largest_before", form="number"),
)
NEARLY_DEAD = (
    Column(name="unit", form="unit"),
    Column(name="active", form="proportion"),
    Column(name="apoz", form="share"),
    Column(name="largest", form="number"),
)
SATURATED = (
    Column(name="unit", form="unit"),
    Column(name="function"),
    Column(name="at_top", form="proportion"),
    Column(name="at_bottom", form="proportion"),
)
STATES = {"dead": "dead", "nearly_dead": "nearly dead", "saturated": "saturated"}


def add_units(
    section: SectionDraft, found: UnitsFile | Status, classes: Sequence[str], *, listed: int
) -> None:
    """Say how sparse layers are and which units are dead or saturated, or why that is not known.

    Parameters
    ----------
    section
        Where it goes.
    found
        What units do.
    classes
        Names of the manifest's classes.
    listed
        Lines of each list of units; the layers' files have all.
    """
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.about.layers}
    told = [LayerTold(name, layer, classes, found.about.quantile) for name, layer in layers.items()]
    section.numbers |= _numbers(found, layers)
    section.add(*_distributions(section, layers))
    section.add(_table_of_layers(told, found.about.images))
    for state in STATES:
        _add_list(section, state, told, listed)
    for one in told:
        data = f"{layer_slug(one.name)}.csv"
        write_table(section.folder / data, *one.table())
        section.layers.append(one.part(data))


def _numbers(found: UnitsFile, layers: Mapping[str, LayerUnits]) -> dict[str, Any]:
    about, all_layers = found.about, layers.values()
    zeros = [one.apoz for one in all_layers if one.apoz is not None and one.largest_before is not None]
    return {
        "images": about.images,
        "labelled": about.labelled,
        "classes": about.classes,
        "activity": about.activity,
        "nearly_dead_below": about.nearly_dead,
        "saturated_from": about.saturated_from,
        "layers": len(layers),
        "units": sum(len(one.dead) for one in all_layers),
        "statistics": int(any(one.apoz is not None for one in all_layers)),
        "layers_active": len(zeros),
        "layers_rare": sum(_mean(shares) < RARE for shares in zeros),
        "layers_bounded": sum(one.ranked_by == INPUT for one in all_layers),
        "layers_recognised": sum(bool(one.function) for one in all_layers),
        **({"apoz": float(np.concatenate(zeros).mean())} if zeros else {}),
        **{f"units_{state}": sum(int(getattr(one, state).sum()) for one in all_layers) for state in STATES},
    }


def _distributions(section: SectionDraft, layers: Mapping[str, LayerUnits]) -> Iterator[blocks.Figure]:
    """Yield the figures of what is known: zeros, and class selectivity."""
    zeros = {name: one.apoz for name, one in layers.items() if one.apoz is not None}
    if zeros:
        functions = {name: _mean(zeros[name]) for name in zeros if layers[name].largest_before is not None}
        yield Distribution("zeros", "outputs that are zero, %", zeros, {}, whole=100).figure(
            section.folder, extremes(functions)
        )
    chosen, by_chance = (
        {name: values[np.isfinite(values)] for name, values in pairs if values is not None}
        for pairs in (
            [(name, one.selectivity) for name, one in layers.items()],
            [(name, one.selectivity_by_chance) for name, one in layers.items()],
        )
    )
    chosen = {name: values for name, values in chosen.items() if len(values)}
    if chosen:
        beside = {name: float(np.median(values)) for name, values in by_chance.items() if len(values)}
        drawn = Distribution(
            "selectivities", "class selectivity: at 1 a unit answers to one class alone", chosen, beside
        )
        numbers = drawn.middles()
        ends = {f"{end}_by_chance": beside.get(str(numbers.get(end, ""))) for end in ("least", "most")}
        numbers |= {name: value for name, value in ends.items() if value is not None}
        yield drawn.figure(section.folder, numbers)


def _table_of_layers(told: Sequence[LayerTold], images: int) -> blocks.Table:
    """Return a line for each layer; what is known of none has no column."""
    rows = [one.row() for one in told]
    known = [place for place in range(len(LAYERS)) if any(row[place] is not None for row in rows)]
    return blocks.Table(
        id="layers", caption="layers", columns=tuple(LAYERS[place] for place in known),
        rows=tuple(tuple(row[place] for place in known) for row in rows), evidence=Evidence(n=images),
    )  # fmt: skip


@dataclass(frozen=True)
class LayerTold:
    """What is said of a layer's units.

    Attributes
    ----------
    name, layer
        Its name, and what is known.
    classes
        Names of the manifest's classes.
    quantile
        The shares of the layer's quantiles.
    """

    name: str
    layer: LayerUnits
    classes: Sequence[str]
    quantile: Sequence[float]

    def row(self) -> tuple[Cell, ...]:
        """Return its line of the table of layers."""
        layer = self.layer
        return (
            self.name, len(layer.dead), None if layer.apoz is None else _mean(layer.apoz),
            *(int(getattr(layer, state).sum()) for state in ("dead", "nearly_dead")),
            int(layer.saturated.sum()) if layer.function else None,
            _median(layer.selectivity), _median(layer.selectivity_by_chance),
        )  # fmt: skip

    def part(self, data: str) -> LayerPart:
        """Return what is said on the pages of the layer and of its units; `data` is the file of its table."""
        layer = self.layer
        units = tuple(
            UnitPart(unit=unit, facts=facts, histogram=self._histogram(unit))
            for unit, facts in enumerate(self._unit_facts())
        )
        return LayerPart(
            layer=self.name, units_total=len(layer.dead), geometry=layer.geometry, facts=tuple(self._facts()),
            data=data, unit_facts=UNIT_FACTS, unit_histogram="histogram", units=units,
            numbers={"by_input": int(layer.ranked_by == INPUT), "images": layer.images},
        )  # fmt: skip

    def listed(self, state: str) -> Iterator[tuple[Cell, ...]]:
        """Yield a line of a state's list for each of the layer's units in that state."""
        layer = self.layer
        for unit in np.flatnonzero(getattr(layer, state)).tolist():
            own, images = f"{self.name}/{unit}", layer.images
            if state == "dead":
                yield own, images, layer.outputs, _at(layer.largest_before, unit)
            elif state == "nearly_dead":
                yield own, (layer.active[unit], images), _at(layer.apoz, unit), layer.largest[unit]
            else:
                top, bottom = _count(layer.at_top, unit), _count(layer.at_bottom, unit)
                yield own, self._function, (top, images), (bottom, images) if self._ends_below else None

    def table(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Return the heading and the lines of all that is known of its units, for spreadsheets."""
        layer = self.layer
        shares = [f"quantile {share:g}" for share in self.quantile]
        names = (
            "unit", "state", "images", "outputs", "apoz", "largest_before", "active", "smallest", "largest",
            *shares, "at_top", "at_bottom", "selectivity", "selectivity_by_chance", "class",
        )  # fmt: skip
        columns = (layer.at_top, layer.at_bottom, layer.selectivity, layer.selectivity_by_chance)
        lines = (
            (
                unit, self._state(unit), layer.images, layer.outputs, _at(layer.apoz, unit),
                _at(layer.largest_before, unit), int(layer.active[unit]), float(layer.smallest[unit]),
                float(layer.largest[unit]), *layer.quantiles[unit].tolist(),
                *(_at(column, unit) for column in columns), self._class(unit),
            )
            for unit in range(len(layer.dead))
        )  # fmt: skip
        return names, lines

    @property
    def _function(self) -> str:
        """The function's name, and where it cuts off if that was seen."""
        top = self.layer.top
        return (
            f"clamp at {top:g}"
            if self.layer.function == "clamp" and np.isfinite(top)
            else self.layer.function
        )

    @property
    def _ends_below(self) -> bool:
        return bool(np.isfinite(self.layer.bottom))

    def _facts(self) -> Iterator[Fact]:
        layer, count = self.layer, len(self.layer.dead)
        if layer.apoz is not None and layer.outputs is not None:
            outputs = Evidence(n=layer.outputs, of="outputs of each unit")
            yield Fact(name="apoz", value=float(layer.apoz.mean()), form="share", evidence=outputs)
        for state in ("dead", "nearly_dead"):
            yield Fact(name=state, value=(getattr(layer, state).sum(), count), form="proportion")
        if layer.function:
            yield Fact(name="function", value=self._function, form="text")
            yield Fact(name="saturated", value=(layer.saturated.sum(), count), form="proportion")
        if (middle := _median(layer.selectivity)) is not None:
            yield Fact(name="selectivity", value=middle)
            yield Fact(name="by_chance", value=_median(layer.selectivity_by_chance))

    def _unit_facts(self) -> Iterator[tuple[Cell, ...]]:
        layer = self.layer
        for unit in range(len(layer.dead)):
            yield (
                self._state(unit), _at(layer.apoz, unit), _at(layer.selectivity, unit), self._class(unit),
                self._median_maximum(unit), _at(layer.largest_before, unit),
                (_count(layer.at_top, unit), layer.images) if layer.function else None,
            )  # fmt: skip

    def _median_maximum(self, unit: int) -> float | None:
        if 0.5 not in self.quantile:
            return None
        return float(self.layer.quantiles[unit, list(self.quantile).index(0.5)])

    def _state(self, unit: int) -> str | None:
        return next((text for name, text in STATES.items() if getattr(self.layer, name)[unit]), None)

    def _class(self, unit: int) -> str | None:
        label = _at(self.layer.label, unit)
        return None if label is None or label < 0 else self.classes[int(label)]

    def _histogram(self, unit: int) -> Histogram:
        layer = self.layer
        return Histogram(
            low=float(layer.low[unit]), high=float(layer.high[unit]),
            counts=tuple(layer.histogram[unit].tolist()),
        )  # fmt: skip


def _add_list(section: SectionDraft, state: str, told: Sequence[LayerTold], most: int) -> None:
    """List the units in a state; nothing where there is none."""
    rows = [row for one in told for row in one.listed(state)]
    columns = {"dead": DEAD, "nearly_dead": NEARLY_DEAD, "saturated": SATURATED}[state]
    if rows:
        section.add(
            blocks.Table(
                id=state.replace("_", "-"), caption=state.replace("_", "-"), columns=columns,
                rows=tuple(rows[:most]), numbers={"found": len(rows), "listed": min(len(rows), most)},
            )
        )  # fmt: skip


def _median(values: NDArray[Any] | None) -> float | None:
    """Return the median over the units that have a number; None where none has."""
    known = np.empty(0) if values is None else values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _count(values: NDArray[np.int64] | None, unit: int) -> int:
    return 0 if values is None else int(values[unit])


def _mean(values: NDArray[Any] | None) -> float:
    return float("nan") if values is None else float(values.mean())


def _at(values: NDArray[Any] | None, unit: int) -> float | int | None:
    """Return a unit's number as Python's own; None where there is none."""
    if values is None or not np.isfinite(values[unit]):
        return None
    found: float | int = values[unit].item()
    return found
