"""Pictures of a layer's filters: tiles by filter and channel, or a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.slugs import layer_slug
from pipeline.contents.values import Number
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.kernels import crossed, matrix, tile, wrapped
from pipeline.formats.filters import FilterLayer, FiltersFile
from pipeline.numerics.spreading import even_places
from pipeline.store.tables import write_table

Scale: TypeAlias = Literal["layer", "filter"]
Form: TypeAlias = Literal["tiles", "crossed", "matrix"]
Weights: TypeAlias = NDArray[np.float32]
Ids: TypeAlias = NDArray[np.int64]
Records: TypeAlias = Iterable[tuple[float, ...]]

COLOURS = 3
_SIDE, _SMALL = 56, 36  # pixels, of a tile alone and in a line
_ROWS, _COLUMNS = 64, 128  # of a matrix


@dataclass(frozen=True)
class Bounds:
    """How much is drawn of a layer.

    Attributes
    ----------
    tiles
        Filters that are one tile each: of the first layer, of depthwise ones.
    filters, channels
        Lines and columns of tiles, of other layers.
    scale
        What white and black stand for: the largest weight shown of the layer, or of each filter.
    """

    tiles: int
    filters: int
    channels: int
    scale: Scale


class FilterTiles:
    """Draws the filters of layers into a section's folder, each layer once.

    Parameters
    ----------
    folder
        The section's.
    source
        Where the weights come from.
    bounds
        How much is drawn.
    """

    def __init__(self, folder: Path, source: FiltersFile, bounds: Bounds) -> None:
        self._folder, self._source, self._bounds = folder, source, bounds
        self._drawn: dict[str, blocks.Figure] = {}

    def figure(self, name: str, beside: str = "") -> blocks.Figure:
        """Return the picture of a layer's filters, for the chapter or the page of a layer beside it."""
        if name not in self._drawn:
            self._drawn[name] = self._draw(name)
        figure = self._drawn[name]
        return figure.model_copy(update={"id": f"{figure.id}-{layer_slug(beside)}"}) if beside else figure

    def _draw(self, name: str) -> blocks.Figure:
        layer, bounds = self._source.layer(name), self._bounds
        form = form_of(layer, is_first=name == self._source.about.first)
        most = {"tiles": bounds.tiles, "crossed": bounds.filters, "matrix": _ROWS}[form]
        row = even_places(len(layer.unit), most)
        weight = shaped(
            layer, np.concatenate([self._source.weight(name, slice(one, one + 1)) for one in row])
        )
        total = weight.shape[1]
        wide = {"tiles": total, "crossed": bounds.channels, "matrix": _COLUMNS}[form]
        channel = even_places(total, wide)
        weight, unit = weight[:, channel], layer.unit[row]
        numbers: dict[str, Number] = {
            "layer": name, "form": form, "filters": layer.units, "shown": len(unit), "channels": total,
            "channels_shown": len(channel), "kernel": weight.shape[2:], "largest": _largest(weight),
            "scale": bounds.scale, "colour": int(form == "tiles" and total == COLOURS),
            "dense": int(layer.kind == "dense"), "depthwise": int(is_depthwise(layer)),
            "first": int(name == self._source.about.first), **_smoothness(layer),
        }  # fmt: skip
        canvas = _canvas(form, weight, unit, channel, numbers)
        places = (f"weight_{y}_{x}" for y, x in np.ndindex(weight.shape[2:]))
        records = _records(weight, unit, channel)
        return self._saved(canvas, name, numbers, ("filter", "channel", *places), records)

    def _saved(
        self,
        canvas: Canvas,
        name: str,
        numbers: Mapping[str, Number],
        columns: Sequence[str],
        records: Records,
    ) -> blocks.Figure:
        slug = layer_slug(name)
        write_table(self._folder / f"{slug}.csv", columns, records)
        return blocks.Figure(
            id=f"filters-{slug}", caption="layer", numbers=numbers, data=f"{slug}.csv",
            **canvas.save(self._folder, slug),
        )  # fmt: skip


def _smoothness(layer: FilterLayer) -> dict[str, Number]:
    """Return the layer's smoothness and the band of noise; nothing where not all filters were measured."""
    smooth, deviation = layer.quality.smoothness, layer.quality.deviation
    if smooth is None or deviation is None or len(layer.unit) < layer.units:
        return {}
    return {"smoothness": smooth, "of_noise": 3 * deviation}


def form_of(layer: FilterLayer, *, is_first: bool) -> Form:
    """Tell how a layer's filters are drawn: one tile each, a tile a channel, or a matrix."""
    if kernel_of(layer) == (1, 1):
        return "matrix"
    return "tiles" if is_depthwise(layer) or (is_first and channels_of(layer) in (1, COLOURS)) else "crossed"


def channels_of(layer: FilterLayer) -> int:
    """Return the channels of a filter: of a dense layer those of the map that it reads."""
    return layer.input_map[0] if layer.input_map else layer.channels


def kernel_of(layer: FilterLayer) -> tuple[int, int]:
    """Return height and width of a layer's kernels: of a dense layer those of the map that it reads."""
    return layer.input_map[1:] if layer.input_map else layer.kernel


def is_depthwise(layer: FilterLayer) -> bool:
    """Tell whether each filter of a convolution reads one channel of its own."""
    return layer.kind == "conv" and layer.channels == 1 < layer.groups


def shaped(layer: FilterLayer, weight: Weights) -> Weights:
    """Return weights (n, channels, y, x): a dense layer's by the channels of the map that it reads."""
    return weight.reshape(len(weight), *layer.input_map) if layer.input_map else weight


def _canvas(form: Form, weight: Weights, unit: Ids, channel: Ids, numbers: Mapping[str, Number]) -> Canvas:
    largest = [_largest(weight if numbers["scale"] == "layer" else one) for one in weight]
    title, scale = str(numbers["layer"]), "each filter" if numbers["scale"] == "filter" else "all"
    shown = f"{len(unit)} of {numbers['filters']} filters"
    if form == "tiles":
        tiles = [tile(one, most, _SIDE) for one, most in zip(weight, largest, strict=True)]
        return wrapped(tiles, [str(one) for one in unit], title, f"{shown} · one scale for {scale}")
    inputs = "inputs" if numbers["dense"] and form == "matrix" else "channels"
    read = f"{len(channel)} of {numbers['channels']} {inputs}"
    note = f"{shown} down, {read} across · one scale for {scale}"
    if form == "matrix":
        scaled = weight[:, :, 0, 0] / np.maximum(largest, np.finfo(np.float32).tiny)[:, None]
        return matrix(scaled, 1.0, title, note)
    lines = [
        [tile(one[None], most, _SMALL) for one in filt] for filt, most in zip(weight, largest, strict=True)
    ]
    return crossed(lines, [f"filter {one}" for one in unit], [str(one) for one in channel], title, note)


def _records(weight: Weights, unit: Ids, channel: Ids) -> Iterator[tuple[float, ...]]:
    for one, kernels in zip(unit.tolist(), weight, strict=True):
        for number, kernel in zip(channel.tolist(), kernels, strict=True):
            yield one, number, *kernel.ravel().tolist()


def _largest(weight: Weights) -> float:
    return float(np.abs(weight).max(initial=0))
