from dataclasses import fields

import numpy as np

from pipeline.formats.correspondence import VERSION, open_correspondence
from pipeline.formats.status import not_run, write_status
from tests.small import correspondence as small

LAYERS = {"conv": small.layer(12, interior=0), "last": small.layer(6, tied=2)}


def equal(one, other):
    for field in fields(one):
        expected, found = getattr(one, field.name), getattr(other, field.name)
        assert found.dtype == expected.dtype, field.name
        np.testing.assert_array_equal(found, expected)


def test_layers_patches_and_views_are_read_back(tmp_path):
    without = {"code": "one position", "gate": "whole image"}
    path = small.write(tmp_path / "correspondence.h5", LAYERS, without_place=without)
    with open_correspondence(path) as found:
        assert found.about == small.about(LAYERS, without_place=without)
        equal(small.VIEWS, found.views)
        for name, layer in LAYERS.items():
            read = found.layer(name)
            assert (read.units, read.geometry) == (layer.units, layer.geometry)
            equal(layer.matched, read.matched)
            equal(layer.held, read.held)
        equal(small.matched(16), found.patches(4))


def test_points_of_a_warp_stand_together(tmp_path):
    with open_correspondence(small.write(tmp_path / "correspondence.h5", LAYERS)) as found:
        assert found.views.points_of(0, 1) == slice(4, 8)
        assert found.views.points_of(2, 0) == slice(16, 20)


def test_a_status_comes_back(tmp_path):
    status = not_run("correspondence")
    write_status(tmp_path / "correspondence.h5", status, stage="correspondence", version=VERSION)
    with open_correspondence(tmp_path / "correspondence.h5") as found:
        assert found == status
