import os
import subprocess
import zipfile

import pytest

from pipeline.errors import UserError
from pipeline.report.publish import git_revision, main, publish


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "site"
    (folder / "figures").mkdir(parents=True)
    (folder / "index.html").write_text("<p>ü</p><!-- revision -->", encoding="utf-8")
    (folder / "figures" / "a.png").write_bytes(b"picture")
    return folder


def _git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_zip_holds_every_file_and_the_revision(report, tmp_path):
    publish(report, tmp_path / "out.zip", "<abc>")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["site/figures/a.png", "site/index.html"]
        assert archive.read("site/figures/a.png") == b"picture"
        page = archive.read("site/index.html").decode()
    assert "&lt;abc&gt;" in page and "<!-- revision -->" not in page
    assert "<!-- revision -->" in (report / "index.html").read_text(encoding="utf-8")


def test_zip_is_equal_whatever_the_times_of_the_files(report, tmp_path):
    publish(report, tmp_path / "one.zip", "abc")
    os.utime(report / "figures" / "a.png", (1_000_000_000, 1_000_000_000))
    publish(report, tmp_path / "two.zip", "abc")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_revision_says_whether_tracked_files_differ(report, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert git_revision(tmp_path / "site") == "unknown"
    _git(report, "init", "--quiet")
    _git(report, "add", "index.html")
    _git(report, "commit", "--quiet", "-m", "one")
    clean = git_revision(report)
    assert len(clean) == 40
    (report / "index.html").write_text("changed <!-- revision -->")
    assert git_revision(report) == f"{clean} with uncommitted changes"


def test_folder_without_report_is_refused(tmp_path, capsys):
    with pytest.raises(UserError, match="not a report"):
        publish(tmp_path, tmp_path / "out.zip", "abc")
    assert main([str(tmp_path), str(tmp_path / "out.zip")]) == 1
    assert "not a report" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_command_writes_the_zip(report, tmp_path):
    assert main([str(report), str(tmp_path / "out.zip")]) == 0
    assert zipfile.is_zipfile(tmp_path / "out.zip")
