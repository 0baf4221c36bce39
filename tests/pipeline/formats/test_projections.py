import numpy as np
import pytest

from pipeline.formats.projections import VERSION, ProjectedUnit, new_projections, open_projections
from pipeline.formats.status import not_run, write_status

METHODS = ("deconvnet", "guided_backprop")
COMPARISON = np.arange(18, dtype=np.float64).reshape(2, 3, 3)


def unit(seed):
    random = np.random.default_rng(seed)

    def each(*shape, dtype):
        return {method: random.random(shape).astype(dtype) for method in METHODS}

    return ProjectedUnit(
        np.array([4, -1, 2]), np.array([[5, 3], [0, 0], [5, 5]], np.uint16), np.array([1, -1, seed]),
        maps=each(3, 5, 5, 2, dtype=np.float16), others=each(5, 5, 2, dtype=np.float16),
        largest=each(3, dtype=np.float32), alike=each(3, dtype=np.float32), across=each(3, dtype=np.float32),
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    with new_projections(tmp_path / "projections.h5", made_from={"patches": "00"}) as writer:
        beside = writer.put_layer("a.b", np.array([3, 8]), iter([unit(0), unit(1)]))
        np.testing.assert_array_equal(beside.alike["deconvnet"][1], unit(1).alike["deconvnet"])
        for method in METHODS:
            writer.put_comparison(method, COMPARISON)
        writer.put_about(METHODS, 3, {"c": "silu is no rectifier"})
    return tmp_path / "projections.h5"


def test_about_is_read_back(path):
    with open_projections(path) as found:
        about = found.about
    assert (about.layers, about.methods, about.k) == (("a.b",), METHODS, 3)
    assert about.refused == {"c": "silu is no rectifier"}
    np.testing.assert_array_equal(about.comparison["guided_backprop"], COMPARISON)


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return first.dtype == second.dtype and np.array_equal(first, second)


def test_units_are_read_back_one_at_a_time(path):
    with open_projections(path) as found:
        for row in (0, 1):
            assert all(
                same(value, getattr(found.unit("a.b", row), key)) for key, value in vars(unit(row)).items()
            )


def test_what_stands_beside_is_read_for_a_whole_layer(path):
    with open_projections(path) as found:
        layer = found.layer("a.b")
    assert layer.unit.tolist() == [3, 8]
    assert layer.other.tolist() == [[1, -1, 0], [1, -1, 1]]
    np.testing.assert_array_equal(layer.across["deconvnet"][1], unit(1).across["deconvnet"])


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "projections.h5", not_run("projections"), stage="projections", version=VERSION)
    with open_projections(tmp_path / "projections.h5") as found:
        assert found == not_run("projections")
