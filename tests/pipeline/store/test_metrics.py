"""Metrics as JSON."""

import json

import numpy as np
import pytest

from pipeline.store.metrics import write_metrics


def test_sorted_rounded_and_typed(tmp_path):
    path = tmp_path / "metrics" / "a.json"
    write_metrics(
        path, {"b": np.float32(0.123456789), "a": np.int64(12345678), "c": {"d": None, "e": "x", "f": True}}
    )
    text = path.read_text()
    assert json.loads(text) == {"a": 12345678, "b": 0.123457, "c": {"d": None, "e": "x", "f": True}}
    assert text.index('"a"') < text.index('"b"')
    assert [item.name for item in path.parent.iterdir()] == ["a.json"]


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_metrics(tmp_path / "a.json", {"a": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_what_dvc_takes_for_a_failure_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no number may be called 'error'"):
        write_metrics(tmp_path / "a.json", {"a": {"error": {"conv1": 0.2}}})
