from dataclasses import replace

import numpy as np

from pipeline.formats.neighbours import (
    SPACES,
    VERSION,
    About,
    Neighbours,
    OnMap,
    Space,
    Summary,
    read_neighbours,
    write_neighbours,
)
from pipeline.formats.status import not_run, write_status

ABOUT = About("cosine", "fc7", 2, 9, 1, 16, 9, "test", True, 3, 1, 500)
SPACE = Space(
    np.array([[1, 4], [5, 6]]), np.array([[0.5, 1], [2, 3]], np.float32), np.array([0.5]), 0.75,
    Summary(0.5, 0.25, 0.75, 0.125, 0.0, 0.25),
)  # fmt: skip
ON_MAP = OnMap(np.array([2, 4, 7]), np.array([[4], [2], [4]]), np.array([[1], [1], [2.5]], np.float32))


def test_neighbours_come_back(tmp_path):
    spaces = dict.fromkeys(SPACES, SPACE) | {"colours": replace(SPACE, summary=None)}
    ids = np.array([2, 3])
    written = Neighbours(ABOUT, ids, ids[1:], ids[:1], np.array([0.25]), spaces, ON_MAP)
    write_neighbours(tmp_path / "neighbours.h5", written, made_from={})
    found = read_neighbours(tmp_path / "neighbours.h5")
    assert found.about == ABOUT
    for name in ("image_id", "probe", "sample", "chance"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    for name, values in vars(ON_MAP).items():
        np.testing.assert_array_equal(getattr(found.on_map, name), values)
    for name in SPACES:
        assert found.spaces[name].summary == spaces[name].summary
        for part in ("neighbour", "distance", "agreement"):
            np.testing.assert_array_equal(getattr(found.spaces[name], part), getattr(SPACE, part))


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "neighbours.h5", not_run("neighbours"), stage="neighbours", version=VERSION)
    assert read_neighbours(tmp_path / "neighbours.h5") == not_run("neighbours")
