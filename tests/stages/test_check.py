"""The stage check: what it writes when nothing is wrong."""

from pathlib import Path

from stages import check


def test_its_output_is_replaced_where_it_is_a_link_into_dvcs_cache(tmp_path):
    stored = tmp_path / "cache"
    stored.write_text("of an earlier version")
    (tmp_path / "check").symlink_to(stored)
    paths = {"params": Path("params.yaml"), "inputs": Path("inputs"), "out": tmp_path / "check"}
    check.run(None, paths)
    assert (tmp_path / "check").read_text() == check.PASSED
    assert stored.read_text() == "of an earlier version"
