"""The folder of a section."""

import json

import numpy as np
import pytest

from pipeline.figures.section import new_section


def test_written_whole_with_plain_numbers(tmp_path):
    with new_section(tmp_path / "figures" / "map") as section:
        (section.folder / "a.png").write_bytes(b"a")
        section.numbers |= {"x": np.float32(1 / 3), "n": np.int64(7), "name": "é"}
        section.add_table("t", "T", ("a", "b"), [("x", np.float64(2 / 3)), (None, 3)], "c")
    content = json.loads((tmp_path / "figures" / "map" / "section.json").read_text())
    assert content["section"] == "map"
    assert content["numbers"] == {"x": 0.333333, "n": 7, "name": "é"}
    assert content["tables"][0]["id"] == "map-t"
    assert content["tables"][0]["rows"] == [["x", 0.666667], [None, 3]]
    assert [item.name for item in (tmp_path / "figures").iterdir()] == ["map"]


def test_replaces_what_was_there(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "old.png").write_bytes(b"old")
    with new_section(tmp_path / "map"):
        pass
    assert [item.name for item in (tmp_path / "map").iterdir()] == ["section.json"]


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "old.png").write_bytes(b"old")
    with pytest.raises(RuntimeError), new_section(tmp_path / "map"):
        raise RuntimeError
    assert [item.name for item in tmp_path.iterdir()] == ["map"]
    assert [item.name for item in (tmp_path / "map").iterdir()] == ["old.png"]


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"), new_section(tmp_path / "map") as section:
        section.numbers["x"] = float("nan")
