"""What is said of a layer."""

import numpy as np
import pytest

from pipeline.contents.parts import Geometry

ATTRIBUTES = {
    "units": np.int64(8), "map_size": np.array([5, 4]), "rf_size": np.array([11, 11]),
    "rf_stride": np.array([4, 2]),
}  # fmt: skip


@pytest.mark.parametrize("status", ["exact", "bound", "global"])
def test_geometry_is_read_from_the_attributes_of_an_artifact(status):
    geometry = Geometry.of(ATTRIBUTES | {"rf_status": status})
    assert (geometry.units, geometry.map_size, geometry.field) == (8, (5, 4), (11, 11))
    assert (geometry.stride, geometry.status) == ((4, 2), status)


def test_a_field_that_is_unknown_is_not_stated():
    geometry = Geometry.of(ATTRIBUTES | {"rf_status": "unknown"})
    assert geometry.field is None and geometry.stride is None
