import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.gradients import VERSION, open_gradients
from pipeline.formats.status import not_run, write_status
from tests.small.gradients import ABOUT, CAMS, FOUND, VALUES, write


def test_what_is_written_is_read(tmp_path):
    with open_gradients(write(tmp_path / "gradients.h5")) as found:
        assert found.about == ABOUT
        for name in ("image_id", "output", "by_label", "score", "baseline", "completeness_error"):
            np.testing.assert_array_equal(getattr(found.probes, name), getattr(FOUND, name))
        assert found.probes.by_label.dtype == np.bool_
        for place in range(3):
            for method in ABOUT.methods:
                np.testing.assert_array_equal(found.values(method, place), VALUES[method][place])
            np.testing.assert_array_equal(found.cam(place), CAMS[place])


def test_error_is_relative_to_the_difference_where_there_is_one(tmp_path):
    with open_gradients(write(tmp_path / "gradients.h5")) as found:
        # 0.1 of 2, and -0.2 of -4; the third probe's scores are equal.
        np.testing.assert_allclose(found.probes.relative_error, [0.05, 0.05])


def test_equal_maps_give_equal_bytes(tmp_path):
    first, second = (write(tmp_path / name) for name in ("a.h5", "b.h5"))
    assert first.read_bytes() == second.read_bytes()


def test_left_out_it_says_why(tmp_path):
    path = tmp_path / "gradients.h5"
    write_status(path, not_run("gradients"), stage="gradients", version=VERSION)
    with open_gradients(path) as found:
        assert found == not_run("gradients")


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "gradients.h5"
    write_status(path, not_run("gradients"), stage="gradients", version=VERSION + 1)
    with pytest.raises(UserError, match="version"), open_gradients(path):
        pass
