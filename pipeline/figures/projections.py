"""Projections beside the patches that they were sent back to, and how alike those of two units are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitPart
from pipeline.contents.slugs import layer_file, layer_slug
from pipeline.contents.values import Column, Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.drawing.signals import block_side, signal_overview, signal_strip, signal_tile
from pipeline.figures.drawing.sprites import save_sheet
from pipeline.figures.drawing.tiles import enlarge, hatched
from pipeline.figures.winners import Names
from pipeline.formats.patches import DrawnLayer, PatchesFile
from pipeline.formats.projections import ProjectedLayer, ProjectedUnit, ProjectionsFile
from pipeline.formats.status import Status
from pipeline.parallel.threads import ordered
from pipeline.store.tables import write_table

UInt8 = NDArray[np.uint8]

NAMES = {"deconvnet": "deconvnet", "guided_backprop": "guided backpropagation"}
HEADINGS = {"deconvnet": "deconvnet", "guided_backprop": "guided backprop"}
# More layers than this cannot be read in one plot; their numbers are in its table.
MOST_LAYERS = 40
PAIRS = ("alike", "across", "difference")
ENDS = ("", "_low", "_high")
LABELS = {"alike": "two units, one image", "across": "one unit, two images"}
# Projections whose likeness on two images is certainly above this hardly change with the image.
FIXED = 0.95
# A strip is to take 15 kB at most; lines of colours have nothing that a loss would hide.
_QUALITY, _SMALL = 55, 0.05


def add_projections(
    section: SectionDraft,
    found: ProjectionsFile | Status,
    patches: PatchesFile,
    names: Names,
    *,
    threads: int,
) -> None:
    """Draw the projections of every unit that has some, or say why there are none.

    Parameters
    ----------
    section, found
        What is drawn, and where.
    patches, names
        What the projections are of.
    threads
        Units drawn at once; changes no result.
    """
    if isinstance(found, Status):
        section.status = found
        return
    about, alike = found.about, []
    for name in about.layers:
        layer = _Layer(section.folder, name, found, found.layer(name), patches, patches.layer(name), names)
        part, is_alike = layer.part(threads=threads)
        section.layers.append(part)
        alike += [name] if is_alike else []
    section.numbers |= {"ruleless": len(alike), "ruleless_names": ", ".join(alike)}
    units = sum(len(found.layer(name).unit) for name in about.layers)
    section.numbers |= {"k": about.k, "layers": len(about.layers), "units": units}
    for method in about.methods:
        section.numbers |= {method: 1, **_compared(method, about.comparison[method])}
    _add_likeness(section, found, units)
    if about.refused:
        columns = (Column(name="layer"), Column(name="reason"))
        rows = tuple(about.refused.items())
        section.add(blocks.Table(id="refused", caption="refused", columns=columns, rows=rows))
    section.add(blocks.Units(id="units", caption="units", layers=about.layers))


def _compared(method: str, values: NDArray[np.float64]) -> dict[str, Number]:
    """Return what the captions say of a method: over all layers, and in how many layers a claim holds.

    Of a layer projections show the image (`_image`) where those of two units on one image are more alike
    than those of one unit on two images, and the interval of the difference is clear of zero; the unit
    (`_unit`) where they are less alike. Of `_told` layers the interval is known.
    """
    named: dict[str, Number] = {
        f"{method}_{pair}{end}": float(value)
        for pair, row in zip(PAIRS, values[-1], strict=True)
        for end, value in zip(ENDS, row, strict=True)
        if not np.isnan(value)
    }
    low, high = values[:-1, 2, 1:].T
    across = values[:-1, 1, 1]
    counts = {"told": ~np.isnan(low), "image": low > 0, "unit": high < 0, "fixed": across > FIXED}
    return named | {f"{method}_{name}": int(layers.sum()) for name, layers in counts.items()}


@dataclass(frozen=True)
class _Layer:
    """Draws the files of one layer."""

    folder: Path
    name: str
    source: ProjectionsFile
    layer: ProjectedLayer
    patches: PatchesFile
    drawn: DrawnLayer
    names: Names

    def part(self, *, threads: int) -> tuple[LayerPart, bool]:
        """Return what is drawn, and whether all methods give the same on every image."""
        methods = self.source.about.methods
        units: list[UnitPart] = []
        sheets: list[SpriteSheet] = []
        overview, alike = [], len(methods) > 1
        for unit, sheet, line, same in ordered(self._unit, range(len(self.layer.unit)), threads=threads):
            units.append(unit)
            sheets.append(sheet)
            overview.append(line)
            alike = alike and same
        write_table(self.folder / layer_file(self.name, "units.csv"), self._columns(), self._records())
        part = LayerPart(
            layer=self.name,
            blocks=(self._overview(overview),),
            data=layer_file(self.name, "units.csv"),
            sheets=tuple(sheets),
            unit_facts=tuple(
                Column(name=f"{pair}_{method}", form="number")
                for method in methods
                for pair in ("alike", "across")
            ),
            units=tuple(units),
        )
        return part, alike

    def _unit(self, row: int) -> tuple[UnitPart, SpriteSheet, tuple[str, list[list[UInt8]]], bool]:
        unit, found = int(self.layer.unit[row]), self.source.unit(self.name, row)
        tiles = self._tiles(unit, found)
        drawn = self._strips(tiles, found)
        name = layer_file(self.name, f"projections-{unit}.webp")
        pictures = [canvas.image() for canvas in drawn.values()]
        width, height, edges = save_sheet(self.folder / name, pictures, _QUALITY, small=_SMALL)
        strips = tuple(
            Strip(caption=caption, sheet=row, x=0, y=y, width=canvas.width, height=canvas.height)
            for (caption, canvas), y in zip(drawn.items(), edges, strict=True)
        )
        part = UnitPart(unit=unit, facts=tuple(_facts(self.layer, row)), strips=strips)
        sheet = SpriteSheet(file=name, width=width, height=height)
        first, *others = found.maps.values()
        same = bool(first.any()) and all(np.array_equal(first, other) for other in others)
        return part, sheet, (f"unit {unit}", list(tiles.values())), same

    def _tiles(self, unit: int, found: ProjectedUnit) -> dict[str, list[UInt8]]:
        """Return the patches and, by each method, what was sent back to them, as tiles of one side.

        What could not be read has a patch and a projection of nothing.
        """
        row = int(np.searchsorted(self.drawn.unit, unit))
        patches = self.patches.patches(self.name, row)
        places = range(np.count_nonzero(self.drawn.image_id[row, : len(found.image_id)] >= 0))
        tiles = {"patches": [enlarge(hatched(patches.pixels[one], patches.mask[one])) for one in places]}
        side = len(tiles["patches"][0])
        for method, maps in found.maps.items():
            tiles[method] = [signal_tile(_within(maps[one], found, one), side) for one in places]
        return tiles

    def _strips(self, tiles: dict[str, list[UInt8]], found: ProjectedUnit) -> dict[str, Canvas]:
        """Draw the projections in the square that the page has of the patches, and the other unit's."""
        columns = block_side(self.source.about.k)
        drawn = {f"unit-{method}": signal_strip(tiles[method], columns) for method in found.maps}
        if found.other[0] >= 0:
            beside = self._beside(tiles, found)
            drawn["unit-other"] = signal_strip(beside, len(beside))
        return drawn

    def _beside(self, tiles: dict[str, list[UInt8]], found: ProjectedUnit) -> list[UInt8]:
        """Return the first patch, then by each method its projection and the other unit's."""
        side, beside = len(tiles["patches"][0]), [tiles["patches"][0]]
        for method, other in found.others.items():
            beside += [tiles[method][0], signal_tile(_within(other, found, 0), side)]
        return beside

    def _overview(self, units: Sequence[tuple[str, list[list[UInt8]]]]) -> blocks.Figure:
        methods = self.source.about.methods
        headings = ["patches", *(HEADINGS[method] for method in methods)]
        canvas = signal_overview(
            units, headings, self.name, f"the {self.source.about.k} strongest images at most"
        )
        count = int((self.layer.image_id >= 0).sum())
        return blocks.Figure(
            id=f"projections-{layer_slug(self.name)}", caption="layer",
            numbers={
                "layer": self.name, "shown": len(units), "projections": count, "silent": self._silent()
            },
            data=layer_file(self.name, "units.csv"), evidence=Evidence(n=count, of="projections"),
            **canvas.save(self.folder, layer_file(self.name, "projections")),
        )  # fmt: skip

    def _silent(self) -> int:
        """Count the units of which nothing comes back, by any method."""
        largest = np.nan_to_num(np.stack(list(self.layer.largest.values())))
        return int((~largest.any(axis=(0, 2))).sum())

    def _columns(self) -> tuple[str, ...]:
        methods = self.source.about.methods
        ends = (f"{what}_{method}" for method in methods for what in ("largest", "alike", "across"))
        return ("unit", "rank", "image_id", "path", "other_unit", *ends)

    def _records(self) -> Iterator[Sequence[object]]:
        found = self.layer
        for row, unit in enumerate(found.unit.tolist()):
            for place in np.flatnonzero(found.image_id[row] >= 0).tolist():
                image_id, another = int(found.image_id[row, place]), int(found.other[row, place])
                numbers = (
                    _number(values[method][row, place])
                    for method in found.largest
                    for values in (found.largest, found.alike, found.across)
                )
                path, other = self.names.path[image_id], another if another >= 0 else None
                yield unit, place + 1, image_id, path, other, *numbers


def _within(values: NDArray[np.float16], found: ProjectedUnit, place: int) -> NDArray[np.float16]:
    """Return what of a square the projection in a place fills."""
    height, width = found.extent[place]
    return values[:height, :width]


def _facts(layer: ProjectedLayer, row: int) -> Iterator[float | None]:
    for method in layer.alike:
        for values in (layer.alike, layer.across):
            known = values[method][row][~np.isnan(values[method][row])]
            yield float(known.mean()) if len(known) else None


def _number(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)


def _add_likeness(section: SectionDraft, found: ProjectionsFile, units: int) -> None:
    """Plot how alike projections are, layer by layer."""
    about = found.about
    names = [*about.layers, "all layers"]
    columns = ("layer", "method", *(f"{pair}{end}" for pair in PAIRS for end in ENDS))
    rows = [
        (name, method, *map(_number, about.comparison[method][row].ravel()))
        for method in about.methods
        for row, name in enumerate(names)
    ]
    write_table(section.folder / "likeness.csv", columns, rows)
    if len(about.layers) > MOST_LAYERS or not any(
        np.isfinite(about.comparison[method][-1, :2, 0]).any() for method in about.methods
    ):
        return
    size = (6.4, 1.3 + 0.3 * len(names))
    files = plot(section.folder, "likeness", size, lambda f, t: _paint_likeness(f, t, found, names))
    section.add(
        blocks.Figure(
            id="likeness", caption="likeness", data="likeness.csv", **files,
            evidence=Evidence(n=units, of="units", interval="bootstrap"),
        )
    )  # fmt: skip


def _paint_likeness(figure: Figure, theme: Theme, found: ProjectionsFile, names: Sequence[str]) -> None:
    methods = found.about.methods
    panels = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
    looks = ((theme.contrast, "s", -0.14), (theme.accent, "o", 0.14))
    for axes, method in zip(panels, methods, strict=True):
        values, place = found.about.comparison[method], np.arange(len(names))
        for pair, (ink, mark, shift) in enumerate(looks):
            mean, low, high = values[:, pair].T
            axes.hlines(place + shift, low, high, color=ink, linewidth=2)
            axes.plot(mean, place + shift, mark, color=ink, markersize=5, label=list(LABELS.values())[pair])
        axes.axhline(len(names) - 1.5, color=theme.line, linewidth=0.8)
        axes.set_title(NAMES[method], loc="left")
        axes.set_xlim(min(-0.02, float(np.nanmin(values[:, :2])) - 0.02), 1.02)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(names)), [ending(name) for name in names])
    figure.supxlabel("rank correlation of two projections", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
