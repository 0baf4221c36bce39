"""What is said of a layer."""

import pytest

from pipeline.contents.parts import Geometry
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import ReceptiveField


def geometry(status):
    return Geometry.of(8, LayerGeometry((5, 4), ReceptiveField((11, 11), (4, 2), (0, 0), status)))


@pytest.mark.parametrize("status", ["exact", "bound", "global"])
def test_geometry_is_what_an_artifact_says(status):
    found = geometry(status)
    assert (found.units, found.map_size, found.field) == (8, (5, 4), (11, 11))
    assert (found.stride, found.status) == ((4, 2), status)


def test_a_field_that_is_unknown_is_not_stated():
    found = geometry("unknown")
    assert found.field is None and found.stride is None
