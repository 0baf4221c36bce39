import numpy as np
import pytest

from pipeline.formats.attributes import VERSION, read_attributes, write_attributes
from pipeline.formats.status import not_run, write_status
from tests.small.attributes import attributes


def same(mine, theirs):
    """Compare dataclasses, arrays in them by their numbers."""
    assert type(mine) is type(theirs)
    if hasattr(mine, "__dataclass_fields__"):
        mine, theirs = vars(mine), vars(theirs)
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            same(value, theirs[key])
    elif isinstance(mine, tuple) and mine and not isinstance(mine[0], str):
        for one, other in zip(mine, theirs, strict=True):
            same(one, other)
    else:
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    "changed",
    [{}, {"surviving": False}, {"interaction": None}, {"effects": (), "values": {}, "interaction": None}],
)
def test_what_was_found_comes_back(tmp_path, changed):
    given = attributes(**changed)
    write_attributes(tmp_path / "x.h5", given, made_from={})
    same(given, read_attributes(tmp_path / "x.h5"))


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "x.h5", not_run("attributes"), stage="attributes", version=VERSION)
    assert read_attributes(tmp_path / "x.h5") == not_run("attributes")


def test_bins_know_their_best_and_their_worst():
    first, words, classes = (one.bins for one in attributes().effects)
    assert (first.best, first.worst, len(first)) == (2, 0, 3)
    assert (words.best, words.worst) == (0, 1)
    assert classes.by_class and not first.by_class
