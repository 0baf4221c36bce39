from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.fooling import VERSION, median_distance, read_fooling, write_fooling
from pipeline.formats.status import not_run, write_status
from tests.small.fooling import FOUND


def assert_same(one, other):
    assert type(one) is type(other)
    for name in (field.name for field in fields(one)):
        first, second = getattr(one, name), getattr(other, name)
        if isinstance(first, dict):
            assert first.keys() == second.keys()
            for key in first:
                assert_same(first[key], second[key])
        elif is_dataclass(first):
            assert_same(first, second)
        elif isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second)
            assert first.dtype == second.dtype, name
        else:
            assert first == second, name


def test_everything_comes_back(tmp_path):
    write_fooling(tmp_path / "fooling.h5", FOUND, made_from={})
    assert_same(read_fooling(tmp_path / "fooling.h5"), FOUND)


def test_what_was_left_out_stays_out(tmp_path):
    found = replace(FOUND, evolved={}, minimal=None, transfer=None, codes=None, pixels=None)
    write_fooling(tmp_path / "fooling.h5", found, made_from={})
    assert_same(read_fooling(tmp_path / "fooling.h5"), found)


def test_equal_contents_give_equal_bytes(tmp_path):
    for name in ("one", "other"):
        write_fooling(tmp_path / name, FOUND, made_from={"weights": "0" * 64})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_status_comes_back_and_another_version_is_refused(tmp_path):
    path = tmp_path / "fooling.h5"
    write_status(path, not_run("fooling"), stage="fooling", version=VERSION)
    assert read_fooling(path) == not_run("fooling")
    write_status(path, not_run("fooling"), stage="fooling", version=VERSION + 1)
    with pytest.raises(UserError):
        read_fooling(path)


def test_norm_and_distortion_are_those_of_the_change():
    assert FOUND.minimal.norm[0] == 0.25 and np.isnan(FOUND.minimal.norm[1])
    assert FOUND.minimal.distortion[0] == pytest.approx(0.25 / np.sqrt(192))


@pytest.mark.parametrize(
    ("smallest", "median"), [([1, 4, 5], 4), ([-1, 4, 5], 5), ([-1, -1, 5], None), ([2, -1], None)]
)
def test_what_is_never_fooled_lies_beyond_all_distances(smallest, median):
    assert median_distance(np.array(smallest)) == median
