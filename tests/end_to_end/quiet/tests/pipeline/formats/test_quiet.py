import numpy as np

from pipeline.formats.quiet import VERSION, Quiet, read_quiet, write_quiet
from pipeline.formats.status import not_run, write_status


def test_shares_come_back(tmp_path):
    shares = {"relu": np.array([0.25, 1.0]), "pool": np.array([0.5])}
    write_quiet(tmp_path / "quiet.h5", Quiet(0.5, shares), made_from={})
    found = read_quiet(tmp_path / "quiet.h5")
    assert found.level == 0.5
    assert {layer: share.tolist() for layer, share in found.shares.items()} == {
        "relu": [0.25, 1],
        "pool": [0.5],
    }


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "quiet.h5", not_run("quiet"), stage="quiet", version=VERSION)
    assert read_quiet(tmp_path / "quiet.h5") == not_run("quiet")
