"""The section of activation maps: every kept unit's map on the probes, and how sparse and local maps are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.blocks import Figure, Images, Table, UnitTiles
from pipeline.contents.parts import ImagePart, LayerPart
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.unit_grid import draw_grid, grid_of
from pipeline.formats.activation_maps import ActivationMapsFile, MappedLayer
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

# The share of a layer's maps that have no value beyond white: a few outliers leave the others to be seen.
BELOW_WHITE = 0.95
COLUMNS = (
    Column(name="layer", form="layer"), Column(name="map", form="size"),
    Column(name="units", form="proportion"), Column(name="sparsity", form="share"),
    Column(name="silent", form="proportion"), Column(name="localisation", form="share"),
)  # fmt: skip
DATA = ("unit", "largest", "smallest", "sparsity", "localisation")


def add_activation_maps(
    section: SectionDraft,
    found: ActivationMapsFile | Status,
    probes: Mapping[int, Pictured],
    *,
    shown: int,
) -> None:
    """Draw the maps, or say why there are none.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    shown
        Probes on the chapter's page; each has its maps on its own.
    """
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.layers}
    drawn = [_Drawn(section, found, name, layer) for name, layer in layers.items()]
    section.add(_table(layers))
    for place, image_id in enumerate(found.image_id.tolist()):
        figures = tuple(one.figure(place, image_id, probes[image_id].pixels) for one in drawn)
        section.images.append(ImagePart(image_id=image_id, path=probes[image_id].path, blocks=figures))
    section.layers += [LayerPart(layer=name, facts=_facts(layer)) for name, layer in layers.items()]
    images = tuple(found.image_id[:shown].tolist())
    section.numbers |= {
        "probes": len(found.image_id), "shown": len(images), "layers": len(layers),
        "negative": sum(one.negative for one in drawn), "below_white": BELOW_WHITE,
    }  # fmt: skip
    section.numbers |= course(layers)
    section.add(Images(id="probes", caption="probes", images=images))


def course(layers: Mapping[str, MappedLayer]) -> dict[str, Number]:
    """Return what becomes of sparsity and localisation from the first to the last of several layers."""
    if len(layers) < 2:
        return {}
    numbers: dict[str, Number] = {}
    for place, name in (("first", next(iter(layers))), ("last", list(layers)[-1])):
        sparsity, local, _ = _means(layers[name])
        if local is None:
            return {}
        numbers |= {place: name, f"{place}_sparsity": sparsity, f"{place}_local": local}
    return numbers


def _means(layer: MappedLayer) -> tuple[float, float | None, int]:
    """Return mean sparsity, mean localisation of the maps with something positive, and how many these are."""
    active = layer.localisation[~np.isnan(layer.localisation)]
    local = float(active.mean(dtype=np.float64)) if len(active) else None
    return float(layer.sparsity.mean(dtype=np.float64)), local, len(active)


class _Drawn:
    """Draws the figures of a layer, all of them at one scale."""

    def __init__(
        self, section: SectionDraft, source: ActivationMapsFile, name: str, layer: MappedLayer
    ) -> None:
        self._section, self._source, self._name, self._layer = section, source, name, layer
        self._grid = grid_of(len(layer.unit), layer.geometry.map_size)
        self._white = white_of(layer)
        self.negative = bool((layer.smallest < 0).any())

    def figure(self, place: int, image_id: int, picture: NDArray[np.uint8]) -> Figure:
        """Draw the maps on one probe, with their numbers."""
        maps = self._source.maps(self._name, place)
        canvas = Canvas(*self._grid.size[::-1])
        canvas.draw(*draw_grid(self._grid, maps, self._white, picture))
        name = f"maps-{layer_slug(self._name)}-{image_id}"
        folder = self._section.folder
        layer = self._layer
        columns = (layer.unit, *(getattr(layer, one)[place] for one in DATA[1:]))
        rows = zip(*(map(_cell, column.tolist()) for column in columns), strict=True)
        write_table(folder / f"{name}.csv", DATA, rows)
        return Figure(
            id=name, caption="maps", data=f"{name}.csv", **canvas.save(folder, name),
            numbers=self._numbers(place), tiles=self._tiles(),
            evidence=Evidence(n=len(layer.unit), of="units"),
        )  # fmt: skip

    def _tiles(self) -> UnitTiles:
        grid, units = self._grid, tuple(self._layer.unit.tolist())
        return UnitTiles(
            layer=self._name, units=units, rows=grid.rows, columns=grid.columns, corner=grid.corner
        )

    def _numbers(self, place: int) -> dict[str, Number]:
        layer, grid = self._layer, self._grid
        local = layer.localisation[place]
        active = local[~np.isnan(local)]
        numbers: dict[str, Number] = {
            "layer": self._name, "units": len(layer.unit), "units_total": layer.units,
            "map": layer.geometry.map_size, "shrunk": grid.shrunk, "white": self._white,
            "highest": float(layer.largest[place].max()),
            "negative": int((layer.smallest[place] < 0).any()),
            "sparsity": float(layer.sparsity[place].mean(dtype=np.float64)),
            "silent": int((layer.sparsity[place] == 1).sum()), "active": len(active),
        }  # fmt: skip
        return numbers | ({"localisation": float(active.mean(dtype=np.float64))} if len(active) else {})


def white_of(layer: MappedLayer) -> float:
    """Return the value that is white in a layer's maps: 95 in 100 maps have none beyond it, either way."""
    beyond = np.maximum(layer.largest, -layer.smallest)
    return float(np.quantile(beyond, BELOW_WHITE, method="higher")) or 1.0


def _cell(value: float) -> float | None:
    return None if value != value else value


def _table(layers: Mapping[str, MappedLayer]) -> Table:
    rows = []
    for name, layer in layers.items():
        sparsity, local, _ = _means(layer)
        silent = (int((layer.sparsity == 1).sum()), layer.sparsity.size)
        units = (len(layer.unit), layer.units)
        rows.append((name, layer.geometry.map_size, units, sparsity, silent, local))
    probes = len(next(iter(layers.values())).sparsity)
    evidence = Evidence(n=probes)
    return Table(id="layers", caption="layers", columns=COLUMNS, rows=tuple(rows), evidence=evidence)


def _facts(layer: MappedLayer) -> tuple[Fact, ...]:
    """Return sparsity and localisation of a layer, of so many maps each."""
    sparsity, local, active = _means(layer)
    maps = Evidence(n=layer.sparsity.size, of="maps")
    facts = [Fact(name="sparsity", value=sparsity, form="share", evidence=maps)]
    if local is not None:
        evidence = Evidence(n=active, of="maps")
        facts.append(Fact(name="localisation", value=local, form="share", evidence=evidence))
    return tuple(facts)
