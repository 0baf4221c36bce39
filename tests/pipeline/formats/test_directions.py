import dataclasses

import numpy as np
import pytest

from pipeline.formats.directions import (
    VERSION,
    About,
    Compared,
    DirectedLayer,
    Kind,
    Rotations,
    new_directions,
    open_directions,
)  # fmt: skip
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import Patches
from pipeline.formats.status import not_run, write_status
from pipeline.numerics.geometry import ReceptiveField

RNG = np.random.default_rng(0)
ABOUT = About(("conv", "fc"), 40, 3, 2, 4, 6, (8, 8))
LAYER = DirectedLayer(
    LayerGeometry((4, 3), ReceptiveField((3, 5), (2, 2), (-1, 0), "exact")), 4, "output", "means",
    {"random": Compared(4, 2, 0.5, 0.25, -0.5, 0.01)},
)  # fmt: skip
ROTATIONS = Rotations(
    ("a", "b"), ("relu", ""), ("c", "d"), np.array([0.5, np.nan]), np.array([1e-7, 0]), np.array([4, 9]),
    12, 7,
)  # fmt: skip


def kind(count, **more):
    return Kind(
        tuple(f"ü {number}" for number in range(count)), RNG.random((count, 5), np.float32),
        RNG.integers(0, 40, (count, 5)), RNG.integers(0, 4, (count, 5, 2)).astype(np.uint16),
        RNG.random((count, 5, 4), np.float32), RNG.random((count, 5)) < 0.5, np.arange(count),
        np.where(np.arange(count) == 1, np.nan, 0.5), np.array([0, count - 1]),
        np.array([[0, 1, 2], [1, 2, -1]]),
        **more,
    )  # fmt: skip


UNITS = kind(4)
RANDOM = kind(2, direction=RNG.random((2, 4), np.float32))
COMPONENTS = kind(3, direction=RNG.random((3, 4), np.float32), variance=np.array([0.5, 0.25, 0.125]))
PATCHES = Patches(
    RNG.integers(0, 256, (2, 3, 6, 6, 3)).astype(np.uint8), np.ones((2, 3, 6, 6), np.uint8),
    RNG.random((2, 3), np.float32),
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "directions.h5"
    with new_directions(path, ABOUT, made_from={"topk": "00"}) as writer:
        for name in ABOUT.layers:
            writer.put_layer(name, LAYER)
            for key, one in {"unit": UNITS, "random": RANDOM, "pca": COMPONENTS}.items():
                writer.put_kind(name, key, one, PATCHES)
        writer.put_rotations(ROTATIONS)
    return path


def check(found, expected):
    for field in dataclasses.fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


def test_all_is_read_back(path):
    with open_directions(path) as found:
        assert found.about == ABOUT
        assert found.layer("conv") == LAYER
        assert found.kinds("fc") == ["unit", "random", "pca"]
        for key, one in {"unit": UNITS, "random": RANDOM, "pca": COMPONENTS}.items():
            check(found.kind("fc", key), one)
        check(found.patches("conv", "pca", 1), Patches(*(array[1] for array in vars(PATCHES).values())))
        check(found.rotations(), ROTATIONS)


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "d.h5", not_run("directions"), stage="directions", version=VERSION)
    with open_directions(tmp_path / "d.h5") as found:
        assert found == not_run("directions")
