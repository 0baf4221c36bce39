import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.topk import VERSION, About, RankedLayer, open_topk, write_topk
from pipeline.numerics.geometry import ReceptiveField

ABOUT = About(("relu", "head"), 17, 2, 1, (8, 6))
ARRAYS = ("value", "image_id", "position", "box", "count_active")


def layer(units, overlap, seed=0):
    rng = np.random.default_rng(seed)
    return RankedLayer(
        LayerGeometry((4, 3), ReceptiveField((3, 5), (1, 2), (-1, 0), "exact")),
        rng.random((units, 3), np.float32),
        rng.integers(0, 17, (units, 3)),
        rng.integers(0, 3, (units, 3, 2)).astype(np.uint16),
        rng.random((units, 3, 4), np.float32),
        rng.integers(0, 17, units),
        overlap,
    )


LAYERS = (layer(4, 0.5), layer(2, None, seed=1))


def test_what_is_written_is_read_back(tmp_path):
    write_topk(tmp_path / "topk.h5", ABOUT, iter(LAYERS), made_from={"weights": "00"})
    with open_topk(tmp_path / "topk.h5") as found:
        assert found.about == ABOUT
        for name, expected in zip(ABOUT.layers, LAYERS, strict=True):
            read = found.layer(name)
            assert (read.geometry, read.overlap) == (expected.geometry, expected.overlap)
            for array in ARRAYS:
                assert getattr(read, array).dtype == getattr(expected, array).dtype
                np.testing.assert_array_equal(getattr(read, array), getattr(expected, array))


def test_nothing_is_published_where_a_layer_is_missing(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_topk(tmp_path / "topk.h5", ABOUT, iter(LAYERS[:1]), made_from={})
    assert not (tmp_path / "topk.h5").exists()


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "topk.h5", stage="topk", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"), open_topk(tmp_path / "topk.h5"):
        pass
