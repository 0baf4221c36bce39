"""Outlines: of each drawn unit, over the whole images that excite it most, and what is said of its level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.outlines.contours import outline
from pipeline.contents.parts import LayerPart, Scene, UnitPart
from pipeline.contents.values import Column, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.rings import rings_path
from pipeline.figures.unit_distributions import Distribution
from pipeline.figures.whole_images import Placed
from pipeline.formats.activations import INPUT
from pipeline.formats.outlines import OutlinedLayer, OutlinesFile
from pipeline.formats.status import Status
from pipeline.numerics.upsampling import centres
from pipeline.topk.boxes import input_boxes

UNIT_FACTS = (Column(name="level", form="number"), Column(name="half", form="number"))


class LayerOutlines:
    """Draws the outlines of a layer's units into their scenes.

    Parameters
    ----------
    source : OutlinesFile
    layer : str
        The layer's name.
    """

    def __init__(self, source: OutlinesFile, layer: str) -> None:
        self._source, self._name = source, layer
        self._layer = source.layer(layer)
        geometry, ungated = self._layer.geometry, self._layer.ungated
        self._field = ungated or geometry.receptive_field
        self._centres = centres(self._field, geometry.map_size, source.about.input_size)

    @property
    def is_gated(self) -> bool:
        """Whether gates let its neurons see more than they would without."""
        return self._layer.ungated is not None

    @property
    def marks(self) -> bool:
        """Whether even without gates they may see more than the whole image, so that the middle is marked."""
        return self.is_gated and self._field.exceeds(self._source.about.input_size)

    def add(
        self,
        scenes: Sequence[Scene],
        placed: Sequence[Placed | None],
        position: NDArray[np.uint16],
        row: int,
    ) -> tuple[Scene, ...]:
        """Add to a unit's scenes its outline, and the field without gates where gates widen it.

        Parameters
        ----------
        scenes : sequence of Scene
            In the order of the unit's places; there may be fewer.
        placed : sequence of Placed
            The whole image of each; None where it could not be read.
        position : (K, 2) uint16
            y, x in the map of each place's maximum.
        row : int
            The unit's among the layer's drawn ones.

        Returns
        -------
        tuple of Scene
        """
        # One position is the whole map: it says nothing of where.
        if self._layer.geometry.map_size == (1, 1):
            return tuple(scenes)
        maps, ids = self._source.maps(self._name, row), self._layer.image_id[row].tolist()
        return tuple(
            scene if where is None or ids[place] < 0
            else scene.model_copy(
                update=self._drawn(_Lens(where, self._source, ids[place]), maps[place], position[place], row)
            )
            for place, (scene, where) in enumerate(zip(scenes, placed, strict=True))
        )  # fmt: skip

    def _drawn(
        self, lens: _Lens, values: NDArray[np.float32], position: NDArray[np.uint16], row: int
    ) -> dict[str, object]:
        size = self._source.about.input_size
        rings = outline(values, float(self._layer.level[row]), self._centres, size)
        drawn: dict[str, object] = {"outline": rings_path([lens.points(ring) for ring in rings])}
        if self._layer.ungated is None:
            return drawn
        corners = lens.points(input_boxes(position, self._layer.ungated, size).reshape(2, 2))
        middle = lens.placed.inside(np.tile(corners.mean(0), 2))[:2]
        drawn["ungated"] = lens.placed.inside(corners.ravel())
        return drawn | ({"point": middle} if self.marks else {})


class _Lens:
    """Leads from pixels of the network's input to those of a whole image."""

    def __init__(self, placed: Placed, source: OutlinesFile, image_id: int) -> None:
        self.placed = placed
        box, (height, width) = source.input_box(image_id).astype(np.float64), source.about.input_size
        self._scale = (box[2:] - box[:2]) / (width, height) * placed.scale
        self._shift = box[:2] * placed.scale + (placed.x, placed.y)

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (…, 2), x and y, in pixels of the whole image."""
        return points * self._scale + self._shift


def add_outlines(section: SectionDraft, found: OutlinesFile | Status, images: int) -> None:
    """Say how units are outlined and at which level each, or why they are not; of `images` in all."""
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.about.layers}
    layers = {name: layer for name, layer in layers.items() if layer.geometry.map_size != (1, 1)}
    section.layers += [_part(name, layer) for name, layer in layers.items()]
    mapped = list(layers.values())
    above = {name: found.above(name) for name in layers}
    shares = {name: known for name, each in above.items() if len(known := each[~np.isnan(each)])}
    if shares:
        axis = "neurons above the unit’s level, % of those on its images"
        drawn = Distribution("above", axis, shares, {}, whole=100)
        section.add(drawn.figure(section.folder, drawn.middles()))
    section.numbers |= {
        "sample": found.about.sample,
        "sampled": int(found.about.sample < images),
        "layers": len(mapped),
        "units": sum(len(layer.unit) for layer in mapped),
        "counted": sum(map(len, shares.values())),
        "units_at_half": sum(int(layer.half.sum()) for layer in mapped),
        "layers_gated": sum(layer.ungated is not None for layer in mapped),
        "layers_by_input": sum(layer.ranked_by == INPUT for layer in mapped),
    }


def _part(name: str, layer: OutlinedLayer) -> LayerPart:
    units = tuple(
        UnitPart(unit=unit, facts=(None, level) if half else (level, None))
        for unit, level, half in zip(
            layer.unit.tolist(), layer.level.tolist(), layer.half.tolist(), strict=True
        )
    )
    half = Fact(name="at_half", value=(int(layer.half.sum()), len(layer.unit)), form="proportion")
    return LayerPart(layer=name, facts=(half,), unit_facts=UNIT_FACTS, units=units)
