"""filters.h5 comes back as it was written."""

import numpy as np
import pytest

from pipeline.formats.filters import (
    VERSION,
    About,
    FilterLayer,
    Looks,
    Quality,
    Separation,
    new_filters,
    open_filters,
)
from pipeline.formats.status import not_run, write_status

QUALITY = Quality(sparsity=0.25, variance_entropy=0.5, orthogonality=0.75, smoothness=0.1, deviation=0.01)
CONV = FilterLayer(
    "conv", 2, 3, (3, 5), 1, None, QUALITY, Quality(sparsity=0.0), True,
    {"conv": np.zeros(2, bool), "relu/1": np.array([True, False])},
    np.array([0.5, np.nan], np.float32), np.array([1, 0], np.float32), np.arange(2),
)  # fmt: skip
DENSE = FilterLayer(
    "dense", 4, 8, (1, 1), 1, (2, 2, 2), Quality(), None, None, {"fc": np.zeros(4, bool)},
    np.full(4, np.nan, np.float32), np.ones(4, np.float32), np.array([0, 2]),
)  # fmt: skip
LOOKS = Looks(np.array([0.25, np.nan]), np.array([0.5, np.nan]), Separation(0.5, 3, 4, 0.75, 0.01))
GROUPLESS = Looks(LOOKS.frequency, LOOKS.colourfulness)


def write(path, at_start, looks):
    about = About(("conv", "block/fc"), "conv", at_start, 0.05, 0.95)
    with new_filters(path, about, made_from={}) as writer:
        writer.put_layer("conv", CONV, np.arange(90, dtype=np.float32).reshape(2, 3, 3, 5))
        writer.put_looks("conv", looks)
        writer.put_layer("block/fc", DENSE, np.zeros((2, 8, 1, 1), np.float32))
    return about


def equal(first, second):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def test_layers_come_back(tmp_path):
    about = write(tmp_path / "filters.h5", "epoch-0000", LOOKS)
    with open_filters(tmp_path / "filters.h5") as found:
        assert found.about == about
        conv, dense = (found.layer(name) for name in about.layers)
        assert (conv.quality, conv.at_start, conv.like_noise) == (QUALITY, CONV.at_start, True)
        assert (conv.kernel, conv.input_map, list(conv.turned)) == ((3, 5), None, ["conv", "relu/1"])
        assert conv.turned["relu/1"].tolist() == [True, False]
        assert equal((conv.smoothness, conv.norm), (CONV.smoothness, CONV.norm))
        assert (dense.input_map, dense.like_noise, dense.quality) == ((2, 2, 2), None, Quality())
        assert dense.unit.tolist() == [0, 2]
        assert found.weight("conv", slice(1, 2)).ravel().tolist() == list(range(45, 90))


def test_without_a_checkpoint_nothing_is_known_of_the_start(tmp_path):
    write(tmp_path / "filters.h5", "", LOOKS)
    with open_filters(tmp_path / "filters.h5") as found:
        assert found.layer("conv").at_start is None


@pytest.mark.parametrize("looks", [LOOKS, GROUPLESS, Looks(LOOKS.frequency)])
def test_looks_come_back(tmp_path, looks):
    write(tmp_path / "filters.h5", "", looks)
    with open_filters(tmp_path / "filters.h5") as file:
        found = file.looks()
    assert found.separation == looks.separation
    assert (found.colourfulness is None) == (looks.colourfulness is None)
    assert np.array_equal(found.frequency, looks.frequency, equal_nan=True)


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "filters.h5", not_run("filters"), stage="filters", version=VERSION)
    with open_filters(tmp_path / "filters.h5") as found:
        assert found == not_run("filters")
