"""What several artifacts keep of a layer's geometry, as attributes: its map's size and receptive field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.numerics.geometry import Pair, ReceptiveField


@dataclass(frozen=True)
class LayerGeometry:
    """A layer's geometry; all pairs are (y, x).

    Attributes
    ----------
    map_size
        Height and width of its map; 1, 1 for a dense layer.
    receptive_field
        What its neurons see, in pixels of the network input; without `rows` and `columns`.
    """

    map_size: Pair
    receptive_field: ReceptiveField

    def attributes(self) -> dict[str, Any]:
        """Return it as attributes of the layer's group."""
        field = self.receptive_field
        return {
            "map_size": self.map_size, "rf_size": field.size, "rf_stride": field.stride,
            "rf_start": field.start, "rf_status": field.status,
        }  # fmt: skip


def read_geometry(attributes: Mapping[str, Any]) -> LayerGeometry:
    """Return the geometry that stands among the attributes of a layer's group."""
    map_size, size, stride, start = (
        pair(attributes[name]) for name in ("map_size", "rf_size", "rf_stride", "rf_start")
    )
    return LayerGeometry(map_size, ReceptiveField(size, stride, start, attributes["rf_status"]))


def pair(values: Any) -> Pair:
    """Return two whole numbers that were read from a file as Python's own."""
    first, second = values
    return int(first), int(second)
