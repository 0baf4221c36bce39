import numpy as np
import pytest

from pipeline.formats.status import not_run, write_status
from pipeline.formats.training_dynamics import (
    VERSION,
    About,
    Checkpoints,
    LayerCourse,
    Sample,
    ShownMaps,
    new_dynamics,
    open_dynamics,
)

RNG = np.random.default_rng(0)
ABOUT = About(("relu", "head"), "test", "held out", "conv", 7, ("relu",), 3)
CHECKPOINTS = Checkpoints(("a", "final"), np.array([0, -1]), np.array([0.1, np.nan]), np.array([0.2, 0.3]))
SAMPLE = Sample(
    np.array([2, 5, 7]), np.array([0, 1, -1], np.int32), np.array([True, False, True]),
    np.array([[0, 1, 1], [1, 1, 1]], np.int32),
)  # fmt: skip
RELU = LayerCourse("map", (4, 3), RNG.random((2, 3), np.float32), RNG.random((2, 3), np.float32))
HEAD = LayerCourse("dense", (1, 1), RNG.random((2, 3), np.float32), np.full((2, 3), np.nan, np.float32))
SHOWN = ShownMaps(np.array([0, 4]), RNG.random((2, 2, 4, 3), np.float32))
MEANS, MAXIMA = RNG.random((2, 2, 3, 5), np.float32)


@pytest.fixture
def path(tmp_path):
    with new_dynamics(tmp_path / "dynamics.h5", ABOUT, made_from={"weights": "00"}) as writer:
        for place in range(2):
            for name in ABOUT.layers:
                writer.put_values(place, name, MEANS[place], MAXIMA[place])
        writer.put_all(CHECKPOINTS, SAMPLE)
        writer.put_layer("relu", RELU, SHOWN)
        writer.put_layer("head", HEAD, None)
    return tmp_path / "dynamics.h5"


def same(found, expected):
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value)
        assert not isinstance(value, np.ndarray) or getattr(found, name).dtype == value.dtype


def test_all_comes_back(path):
    with open_dynamics(path) as found:
        assert found.about == ABOUT
        same(found.checkpoints, CHECKPOINTS)
        same(found.sample, SAMPLE)
        same(found.layer("relu"), RELU)
        same(found.layer("head"), HEAD)
        same(found.shown("relu"), SHOWN)
        np.testing.assert_array_equal(found.means("head", 1), MEANS[1])
        np.testing.assert_array_equal(found.maxima("relu", 0), MAXIMA[0])


def test_right_ones_are_counted_where_the_accuracy_is_of_them(path):
    with open_dynamics(path) as found:
        assert found.sample.scored.tolist() == [True, False, False]
        assert found.sample.right.tolist() == [1, 0]
        assert found.checkpoints.initial == 0


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "x.h5", not_run("training_dynamics"), stage="training_dynamics", version=VERSION)
    with open_dynamics(tmp_path / "x.h5") as found:
        assert found == not_run("training_dynamics")
