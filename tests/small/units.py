"""Units of two layers over eight images of two classes, written by hand."""

import numpy as np

from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.units import LayerUnits
from pipeline.numerics.geometry import ReceptiveField

GEOMETRY = LayerGeometry((2, 2), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))


def _units(**more):
    """Three units, of which `more` says what they are besides spread."""
    known = {
        "geometry": GEOMETRY, "images": 8, "outputs": 32,
        "smallest": np.array([0, 0, 1], np.float32), "largest": np.array([0, 2, 4], np.float32),
        "active": np.array([0, 1, 8]),
        "quantiles": np.array([[0, 0], [0, 0], [1, 2]], np.float32),
        "histogram": np.array([[0, 0, 8], [7, 0, 1], [2, 4, 2]]),
        "low": np.array([0, 0, 1], np.float32), "high": np.array([0, 2, 4], np.float32),
        "top_image_id": np.array([[-1, -1], [3, -1], [7, 0]]),
        "dead": np.array([True, False, False]), "nearly_dead": np.array([False, True, False]),
        "saturated": np.array([False, False, False]),
        "apoz": np.array([1, 31 / 32, 0.5]),
        "selectivity": np.array([np.nan, 1, 0.25], np.float32),
        "selectivity_by_chance": np.array([np.nan, 1, 0.125], np.float32),
        "label": np.array([-1, 1, 0], np.int32),
    }  # fmt: skip
    return LayerUnits(**known | more)


RELU = _units(
    ranked_by="output", function="", top=np.inf, bottom=-np.inf,
    largest_before=np.array([-0.5, 2, 4], np.float32),
)  # fmt: skip
SIGMOID = _units(
    ranked_by="input", function="sigmoid", top=0.99, bottom=0.01,
    saturated=np.array([False, False, True]), dead=np.zeros(3, bool), nearly_dead=np.zeros(3, bool),
    apoz=np.zeros(3), largest_before=np.array([-5, 2, 9], np.float32),
    at_top=np.array([0, 1, 6]), at_bottom=np.array([0, 0, 0]),
)  # fmt: skip
