import json
import subprocess
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.revisions import freshness
from pipeline.revisions.freshness import stale

CHANGES = {
    "topk": [
        {"changed deps": {"params.yaml": {"topk.k": "modified"}, "artifacts/manifest.h5": "modified"}},
        {"changed outs": {"artifacts/topk.h5": "not in cache"}},
        "changed command",
    ],
    "report": ["always changed"],
}


def answer(monkeypatch, code, out="", error=""):
    monkeypatch.setattr(
        freshness.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], code, out, error)
    )


def test_the_first_stage_that_would_run_and_what_changed_are_named(tmp_path, monkeypatch):
    answer(monkeypatch, 0, json.dumps(CHANGES))
    said = stale(tmp_path, Path("report"))
    assert said == "topk: topk.k modified, artifacts/manifest.h5 modified and 2 more"


def test_nothing_is_said_of_what_is_fresh(tmp_path, monkeypatch):
    answer(monkeypatch, 0, "{}")
    assert stale(tmp_path, Path("report")) == ""


def test_what_dvc_cannot_tell_is_its_own_first_line(tmp_path, monkeypatch):
    answer(monkeypatch, 255, error="\nERROR: unable to acquire lock\nmore\n")
    with pytest.raises(UserError, match="dvc status report: ERROR: unable to acquire lock$"):
        stale(tmp_path, Path("report"))
