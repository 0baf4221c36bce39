import errno
import os

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.numerics.scratch import columns_on_disk, on_disk


@pytest.mark.parametrize("shape", [(3, 4), (0, 4)])
def test_an_array_is_zero_can_be_filled_and_leaves_nothing(tmp_path, shape):
    with on_disk(tmp_path, shape, np.float16, remedy="ask for less") as array:
        assert (array.shape, array.dtype, array.any()) == (shape, np.float16, False)
        array[:] = 2
        assert (array == 2).all()
        assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pipeline.numerics.scratch.os.posix_fallocate", full)
    with (
        pytest.raises(UserError, match="no room for 2 MB.*No space left on device.*or ask for less"),
        on_disk(tmp_path, (1_000_000,), np.float16, remedy="ask for less"),
    ):
        pass


@pytest.mark.parametrize("at_once", [1, 60, 1 << 20])
def test_a_matrix_written_by_rows_comes_back_by_columns(tmp_path, at_once):
    values = np.random.default_rng(0).random((7, 5), np.float32)
    with columns_on_disk(tmp_path, 7, 5, remedy="ask for less", at_once=at_once) as columns:
        for start, stop in ((0, 3), (3, 3), (3, 7)):
            columns.add(values[start:stop])
        groups = list(columns.groups())
        assert not list(tmp_path.iterdir())
    assert max(group.nbytes for group in groups) <= max(at_once, 4 * 7)
    np.testing.assert_array_equal(np.concatenate(groups, axis=1), values)


def test_columns_are_read_once_all_rows_are_there(tmp_path):
    with columns_on_disk(tmp_path, 2, 1, remedy="") as columns:
        columns.add(np.zeros((1, 1), np.float32))
        with pytest.raises(AssertionError, match="1 of 2 rows"):
            next(columns.groups())
