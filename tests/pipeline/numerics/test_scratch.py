import errno
import os

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.numerics.scratch import on_disk


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
