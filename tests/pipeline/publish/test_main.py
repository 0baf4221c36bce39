import zipfile

import pytest

from pipeline.publish import __main__ as module
from pipeline.publish.__main__ import main


@pytest.fixture
def fresh(project, monkeypatch):
    """A project whose report DVC would say is fresh."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(module, "stale", lambda *_: "")
    return project


def test_each_way_publishes_and_says_the_revision(fresh, remote, git, capsys, tmp_path):
    revision = git(fresh, "rev-parse", "HEAD")
    for way in (["branch"], ["folder", str(tmp_path / "site")], ["zip", str(tmp_path / "out.zip")]):
        assert main(way) == 0
        assert revision in capsys.readouterr().err
    assert zipfile.is_zipfile(tmp_path / "out.zip") and (tmp_path / "site/index.html").is_file()
    assert main(["branch"]) == 0
    assert "nothing changed" in capsys.readouterr().err


def test_a_missing_report_ends_in_one_line(fresh, capsys):
    assert main(["branch", "--report", "nowhere"]) == 1
    assert capsys.readouterr().err == "publish: error: nowhere: not a report; run 'dvc repro' first\n"


def test_a_stale_report_is_refused_unless_it_is_meant(fresh, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(module, "stale", lambda *_: "topk: params.yaml changed")
    assert main(["zip", str(tmp_path / "out.zip")]) == 1
    assert "out of date (topk: params.yaml changed); run 'dvc repro'" in capsys.readouterr().err
    assert not (tmp_path / "out.zip").exists()
    assert main(["zip", "--stale", str(tmp_path / "out.zip")]) == 0
