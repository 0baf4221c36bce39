from dataclasses import replace

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.topk import VERSION, About, RankedLayer, open_topk, write_topk
from pipeline.numerics.geometry import ReceptiveField

ABOUT = About(("relu", "head"), 17, 2, 1, (8, 6))
ARRAYS = ("value", "image_id", "position", "box", "count_active", "count_at_maximum", "duplicate")


def layer(units, overlap, seed=0):
    rng = np.random.default_rng(seed)
    return RankedLayer(
        LayerGeometry((4, 3), ReceptiveField((3, 5), (1, 2), (-1, 0), "exact")),
        rng.random((units, 3), np.float32),
        rng.integers(0, 17, (units, 3)),
        rng.integers(0, 3, (units, 3, 2)).astype(np.uint16),
        rng.random((units, 3, 4), np.float32),
        rng.integers(0, 17, units),
        rng.integers(1, 17, units),
        rng.random((units, 3)) < 0.5,
        overlap=overlap,
        lost=overlap,
    )


BY_INPUT = {"input": np.array([[9, 8, 7]] * 2, np.float32), "output_rank": np.array([[0, 0, 2]] * 2)}
LAYERS = (layer(4, 0.5), replace(layer(2, None, seed=1), **BY_INPUT))


def test_what_is_written_is_read_back(tmp_path):
    write_topk(tmp_path / "topk.h5", ABOUT, iter(LAYERS), made_from={"weights": "00"})
    with open_topk(tmp_path / "topk.h5") as found:
        assert found.about == ABOUT
        for name, expected in zip(ABOUT.layers, LAYERS, strict=True):
            read = found.layer(name)
            for known in ("geometry", "overlap", "lost", "ranked_by"):
                assert getattr(read, known) == getattr(expected, known)
            for array in ARRAYS:
                assert getattr(read, array).dtype == getattr(expected, array).dtype
                np.testing.assert_array_equal(getattr(read, array), getattr(expected, array))


def test_a_layer_with_a_largest_value_has_its_inputs(tmp_path):
    write_topk(tmp_path / "topk.h5", ABOUT, iter(LAYERS), made_from={})
    with open_topk(tmp_path / "topk.h5") as found:
        one, other = (found.layer(name) for name in ABOUT.layers)
    assert (one.ranked_by, one.input, one.output_rank) == ("output", None, None)
    np.testing.assert_array_equal(one.key, one.value)
    assert other.ranked_by == "input"
    for name, values in BY_INPUT.items():
        np.testing.assert_array_equal(getattr(other, name), values)
    np.testing.assert_array_equal(other.key, BY_INPUT["input"])


def test_half_precision_is_told(tmp_path):
    about = replace(ABOUT, images_again=9, images_by_lot=2)
    write_topk(tmp_path / "topk.h5", about, iter(LAYERS), made_from={})
    with open_topk(tmp_path / "topk.h5") as found:
        assert found.about == about


def test_nothing_is_published_where_a_layer_is_missing(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_topk(tmp_path / "topk.h5", ABOUT, iter(LAYERS[:1]), made_from={})
    assert not (tmp_path / "topk.h5").exists()


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "topk.h5", stage="topk", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"), open_topk(tmp_path / "topk.h5"):
        pass
