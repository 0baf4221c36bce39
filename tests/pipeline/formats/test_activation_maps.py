import numpy as np
import pytest

from pipeline.formats.activation_maps import (
    VERSION,
    MappedLayer,
    new_activation_maps,
    open_activation_maps,
)
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.status import not_run, write_status
from pipeline.numerics.geometry import ReceptiveField

RNG = np.random.default_rng(0)
NUMBERS = [RNG.random((3, 2), np.float32) for _ in range(4)]
NUMBERS[1][0, 1] = np.nan
LAYER = MappedLayer(
    LayerGeometry((4, 5), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact")), 7, np.array([2, 6]),
    np.array([1, 2**20], np.float32), *NUMBERS,
)  # fmt: skip
MAPS = (RNG.standard_normal((3, 2, 4, 5)) * [[[1]], [[1e6]]]).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    image_id = np.array([9, 2, 5])
    with new_activation_maps(tmp_path / "maps.h5", ("relu",), image_id, made_from={}) as writer:
        writer.put_layer("relu", LAYER, MAPS)
    return tmp_path / "maps.h5"


def test_a_layer_is_read_back(path):
    with open_activation_maps(path) as found:
        assert found.layers == ("relu",) and found.image_id.tolist() == [9, 2, 5]
        layer = found.layer("relu")
    assert (layer.geometry, layer.units) == (LAYER.geometry, 7)
    for name in ("unit", "scale", "sparsity", "localisation", "largest", "smallest"):
        assert getattr(layer, name).dtype == getattr(LAYER, name).dtype
        np.testing.assert_array_equal(getattr(layer, name), getattr(LAYER, name))


def test_maps_are_read_a_probe_at_a_time_as_activations(path):
    with open_activation_maps(path) as found:
        for place in range(3):
            np.testing.assert_allclose(found.maps("relu", place), MAPS[place], rtol=1e-3, atol=1e-3)


def test_a_status_comes_back(tmp_path):
    status = not_run("activation_maps")
    write_status(tmp_path / "maps.h5", status, stage="activation_maps", version=VERSION)
    with open_activation_maps(tmp_path / "maps.h5") as found:
        assert found == status
