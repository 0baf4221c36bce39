"""The files of the patches section: overviews of layers, strips of units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.patches import (
    Context,
    UnitTiles,
    context_overview,
    context_strip,
    patch_overview,
    patch_strip,
)
from pipeline.parallel.threads import ordered
from pipeline.store import Reader
from pipeline.store.metrics import significant
from pipeline.store.tables import write_table

Array = npt.NDArray[Any]

COLUMNS = (
    "unit", "rank", "value", "image_id", "path", "label",
    "y", "x", "x0", "y0", "x1", "y1", "count_active", "images",
)  # fmt: skip
_SMALL = ("unit", "value", "image_id", "position", "box", "count_active", "passed_over")


@dataclass(frozen=True)
class Names:
    """Path and label of the images that are shown.

    Attributes
    ----------
    path
        Image id to path in the dataset.
    label
        Image id to class name; None for an image without a label.
    """

    path: dict[int, str]
    label: dict[int, str | None]


class PatchFile:
    """What is read of an open patches.h5, a unit at a time.

    Parameters
    ----------
    file : Reader
        The open file.
    """

    def __init__(self, file: Reader) -> None:
        self._file = file
        about = file.attributes()
        self.layers: list[str] = list(about["layers"])
        self.k, self.images, self.picture = int(about["k"]), int(about["images"]), int(about["picture"])
        self._context = {
            name: file.get(f"context/{name}") for name in ("image_id", "scale", "offset", "view")
        }

    def arrays(self, layer: str) -> dict[str, Array]:
        """All of a layer but pixels: each (V, ...)."""
        return {name: self._file.get(f"{layer}/{name}") for name in _SMALL}

    def attributes(self, layer: str) -> dict[str, Any]:
        """Receptive field, map size and number of units of a layer."""
        return self._file.attributes(layer)

    def image_ids(self) -> npt.NDArray[np.int64]:
        """(M,) int64, the images shown, ascending."""
        return self._context["image_id"]

    def tiles(self, layer: str, arrays: dict[str, Array], row: int) -> UnitTiles:
        """What is drawn of a unit, the one in this row of the layer's arrays."""
        here = slice(row, row + 1)
        places = zip(arrays["image_id"][row].tolist(), arrays["box"][row], strict=True)
        return UnitTiles(
            unit=int(arrays["unit"][row]),
            value=arrays["value"][row],
            patch=self._file.get(f"{layer}/patch", here)[0],
            mask=self._file.get(f"{layer}/mask", here)[0],
            context=[self._one_context(image_id, box) for image_id, box in places],
            count_active=int(arrays["count_active"][row]),
            images=self.images,
            passed_over=int(arrays["passed_over"][row]),
        )

    def _one_context(self, image_id: int, box: Array) -> Context | None:
        row = int(np.searchsorted(self._context["image_id"], image_id))
        scale = float(self._context["scale"][row]) if image_id >= 0 else 0.0
        if not scale:
            return None
        offset = np.tile(self._context["offset"][row], 2)
        pixels = self._file.get("context/picture", slice(row, row + 1))[0]
        return Context(pixels, box * scale + offset, self._context["view"][row] * scale + offset)


@dataclass(frozen=True)
class LayerPages:
    """Draws the files of a layer into a section's folder.

    Attributes
    ----------
    folder, slug
        The section's folder, and the layer's name in file names.
    layer
        Its name.
    source, names
        Where patches, paths and labels come from.
    """

    folder: Path
    slug: str
    layer: str
    source: PatchFile
    names: Names

    def draw(self, most: int, *, threads: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Draw a layer.

        Parameters
        ----------
        most : int
            Units in the overview; of more, a sample spread evenly.
        threads : int
            Units drawn at once; changes no result.

        Returns
        -------
        figures : list of dict
            Entries of section.json.
        layer : dict
            The layer's entry.
        """
        arrays = self.source.arrays(self.layer)
        count = len(arrays["unit"])
        shown = set(np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist())
        units, overview = [], []
        jobs = ((row, self.source.tiles(self.layer, arrays, row)) for row in range(count))
        for row, tiles, entry in ordered(lambda job: self._unit(arrays, *job), jobs, threads=threads):
            units.append(entry)
            if row in shown:
                overview.append(tiles)
        write_table(self.folder / f"{self.slug}.csv", COLUMNS, self._records(arrays))
        figures = self._figures(overview, arrays)
        about = self.source.attributes(self.layer)
        known = about["rf_status"] != "unknown"
        return figures, {
            "name": self.layer,
            "slug": self.slug,
            "figure": figures[0]["id"],
            "rf_size": _pair(about["rf_size"]) if known else None,
            "rf_stride": _pair(about["rf_stride"]) if known else None,
            "rf_status": about["rf_status"],
            "map_size": _pair(about["map_size"]),
            "units_total": int(about["units"]),
            "units": units,
        }

    def _unit(
        self, arrays: dict[str, Array], row: int, tiles: UnitTiles
    ) -> tuple[int, UnitTiles, dict[str, Any]]:
        """Draw a unit's strips and return its entry."""
        name = f"{self.slug}/unit-{tiles.unit:04d}"
        patch_strip(tiles).save_png(self.folder / f"{name}.png")
        context_strip(tiles, self.source.picture).save_png(self.folder / f"{name}-context.png")
        shown = slice(tiles.shown)
        ids = arrays["image_id"][row, shown].tolist()
        return row, tiles, {
            "unit": tiles.unit,
            "image": f"{name}.png",
            "context": f"{name}-context.png",
            "values": [significant(value) for value in arrays["value"][row, shown].tolist()],
            "image_ids": ids,
            "paths": [self.names.path[image_id] for image_id in ids],
            "labels": [self.names.label[image_id] for image_id in ids],
            "boxes": [[significant(edge) for edge in box] for box in arrays["box"][row, shown].tolist()],
            "positions": arrays["position"][row, shown].tolist(),
            "count_active": tiles.count_active,
            "images": tiles.images,
        }  # fmt: skip

    def _records(self, arrays: dict[str, Array]) -> Iterator[Sequence[object]]:
        """A line of the table for each place that is filled."""
        for row, unit in enumerate(arrays["unit"].tolist()):
            for rank, image_id in enumerate(arrays["image_id"][row].tolist()):
                if image_id >= 0:
                    yield (
                        unit, rank, float(arrays["value"][row, rank]), image_id,
                        self.names.path[image_id], self.names.label[image_id],
                        *arrays["position"][row, rank].tolist(), *arrays["box"][row, rank].tolist(),
                        int(arrays["count_active"][row]), self.source.images,
                    )  # fmt: skip

    def _figures(self, units: Sequence[UnitTiles], arrays: dict[str, Array]) -> list[dict[str, Any]]:
        """Draw the overviews and return their entries."""
        field = receptive_field(self.source.attributes(self.layer))
        note = f"{field} · top {self.source.k} of {self.source.images:,} images"
        patches = patch_overview(units, self.layer, note)
        patches.save_png(self.folder / f"{self.slug}.png")
        patches.save_svg(self.folder / f"{self.slug}.svg")
        contexts = context_overview(units, self.source.picture, self.layer, note)
        contexts.save_png(self.folder / f"{self.slug}-context.png")
        return [
            self._entry("", patches)
            | {
                "title": f"{self.layer}: what activates its units most",
                "alt": f"A row of image patches for each of {len(units)} units of {self.layer}.",
                "caption": self._caption(units, arrays, field),
                "vector": f"{self.slug}.svg",
            },
            self._entry("-context", contexts)
            | {
                "title": f"{self.layer}: the same in context",
                "alt": f"A row of whole images for each of {len(units)} units of {self.layer}.",
                "caption": "What the network saw of the images above, in the same order; in white the "
                "receptive field of the position that activated the unit, cut off where it leaves the image.",
                "vector": None,
            },
        ]

    def _entry(self, suffix: str, canvas: Canvas) -> dict[str, Any]:
        return {
            "id": f"patches-{self.slug}{suffix}",
            "image": f"{self.slug}{suffix}.png",
            "dark_image": None,
            "data": f"{self.slug}.csv",
            "width": canvas.width,
            "height": canvas.height,
        }

    def _caption(self, units: Sequence[UnitTiles], arrays: dict[str, Array], field: str) -> str:
        about, drawn = self.source.attributes(self.layer), len(arrays["unit"])
        return (
            f"{len(units)} of {about['units']:,} units; for each, the {self.source.k} of "
            f"{self.source.images:,} images that activate it most, strongest first, its activation in white. "
            f"{field[:1].upper()}{field[1:]}. Hatched: outside the image or the crop. An image counts "
            "once, by its largest activation; of equal ones the image that comes first in the dataset ranks "
            f"first; {int(arrays['passed_over'].sum()):,} near-duplicates were passed over in {drawn:,} "
            f"units. {about['units_never_active']:,} units of the layer are never active."
        )


def receptive_field(about: dict[str, Any]) -> str:
    """Say a layer's receptive field in words, from its attributes."""
    status = about["rf_status"]
    if status == "global":
        return "each position sees the whole network input"
    if status == "unknown":
        return "receptive field unknown, the whole network input is shown"
    size, stride = (
        " × ".join(str(edge) for edge in _pair(about[f"rf_{name}"])) for name in ("size", "stride")
    )
    most = "at most " if status == "bound" else ""
    return f"receptive field {most}{size}, stride {stride} pixels of the network input"


def _pair(values: Sequence[int]) -> list[int]:
    return [int(value) for value in values]
