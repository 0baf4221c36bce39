import numpy as np
import pytest

from pipeline.formats.occlusion import VERSION, read_occlusion, write_occlusion
from pipeline.formats.status import not_run, write_status
from tests.small.occlusion import FOUND


@pytest.mark.parametrize("part", ["whole", "sizes"])
def test_it_is_read_back(tmp_path, part):
    write_occlusion(tmp_path / "occlusion.h5", FOUND, made_from={})
    found = read_occlusion(tmp_path / "occlusion.h5")
    assert found.about == FOUND.about
    pairs = [(found.whole, FOUND.whole)] if part == "whole" else zip(found.sizes, FOUND.sizes, strict=True)
    for one, other in pairs:
        for name, values in vars(other).items():
            assert np.asarray(getattr(one, name)).dtype == np.asarray(values).dtype
            np.testing.assert_array_equal(getattr(one, name), values)


def test_equal_contents_give_equal_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_occlusion(tmp_path / name, FOUND, made_from={"params": "x"})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_status_comes_back(tmp_path):
    status = not_run("occlusion")
    write_status(tmp_path / "occlusion.h5", status, stage="occlusion", version=VERSION)
    assert read_occlusion(tmp_path / "occlusion.h5") == status
