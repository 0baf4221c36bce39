from dataclasses import replace

import numpy as np
import pytest

from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.outlines import VERSION, About, OutlinedLayer, new_outlines, open_outlines
from pipeline.formats.status import not_run, write_status
from pipeline.numerics.geometry import ReceptiveField, whole

RNG = np.random.default_rng(0)
GATED = OutlinedLayer(
    LayerGeometry((4, 3), whole((8, 8), "global")),
    ReceptiveField((3, 5), (2, 2), (-1, 0), "exact"),
    "input",
    level=np.array([1.5, 0.25], np.float32),
    half=np.array([False, True]),
    scale=np.array([1, 0.5], np.float32),
    unit=np.array([0, 7]),
    image_id=np.array([[5, 2, -1], [9, 5, 2]]),
)
PLAIN = OutlinedLayer(
    LayerGeometry((1, 1), whole((8, 8), "global")),
    None,
    "output",
    level=np.array([2], np.float32),
    half=np.array([False]),
    scale=np.array([1], np.float32),
    unit=np.array([3]),
    image_id=np.array([[2, 9, -1]]),
)
MAPS = RNG.standard_normal((2, 3, 4, 3)).astype(np.float16)
BOX = RNG.random((3, 4), np.float32)
ABOUT = About(("gated", "head"), 40, (8, 8))


@pytest.fixture
def path(tmp_path):
    with new_outlines(tmp_path / "outlines.h5", ABOUT, made_from={"patches": "00"}) as writer:
        writer.put_images(np.array([2, 5, 9]), BOX)
        writer.put_layer("gated", GATED, MAPS)
        writer.put_layer("head", PLAIN, MAPS[:1, :, :1, :1])
    return tmp_path / "outlines.h5"


@pytest.mark.parametrize(("name", "expected"), [("gated", GATED), ("head", PLAIN)])
def test_layers_are_read_back(path, name, expected):
    with open_outlines(path) as found:
        assert found.about == ABOUT
        layer = found.layer(name)
    for key, value in vars(expected).items():
        if isinstance(value, np.ndarray):
            assert getattr(layer, key).dtype == value.dtype
            np.testing.assert_array_equal(getattr(layer, key), value)
        else:
            assert getattr(layer, key) == value


def test_maps_are_read_a_unit_at_a_time_and_boxes_by_image(path):
    with open_outlines(path) as found:
        np.testing.assert_array_equal(found.maps("gated", 1), MAPS[1] / np.float32(2))
        np.testing.assert_array_equal(found.input_box(5), BOX[1])


def test_the_share_above_the_level_is_of_images_that_there_are_and_of_units_with_a_level(tmp_path):
    lower = replace(GATED, level=np.array([0.5, 0.25], np.float32))
    with new_outlines(tmp_path / "outlines.h5", ABOUT, made_from={}) as writer:
        writer.put_images(np.array([2, 5, 9]), BOX)
        writer.put_layer("gated", lower, MAPS)
    with open_outlines(tmp_path / "outlines.h5") as found:
        share = (MAPS[0, :2] > 0.5).mean()
        assert 0 < share < 1
        np.testing.assert_array_equal(found.above("gated"), [share, np.nan])


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "outlines.h5", not_run("outlines"), stage="outlines", version=VERSION)
    with open_outlines(tmp_path / "outlines.h5") as found:
        assert found == not_run("outlines")
