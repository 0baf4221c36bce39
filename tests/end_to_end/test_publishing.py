"""A finished run given to others."""

from pathlib import Path

from tests.end_to_end.project import Project

PUBLISH = ("python", "-m", "pipeline.publish", "branch")


def test_a_report_is_published_once_and_refused_when_it_is_out_of_date(copy: Project):
    remote = copy.root.with_name("remote.git")
    copy.must("git", "init", "--quiet", "--bare", str(remote))
    copy.must("git", "remote", "add", "origin", str(remote))
    assert "published" in copy.must(*PUBLISH).text
    site = copy.root.with_name("site")
    copy.must("git", "clone", "--quiet", "--branch", "gh-pages", str(remote), str(site))
    assert _files(copy.root / "report") <= _files(site)
    revision = copy.must("git", "rev-parse", "HEAD").text.strip()
    assert revision in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "revision.txt").read_text() == f"{revision}\n"
    assert "nothing changed" in copy.must(*PUBLISH).text
    assert copy.must("git", "rev-list", "--count", "gh-pages", GIT_DIR=str(remote)).text.strip() == "1"
    assert not copy.must("git", "status", "--porcelain").text
    copy.set_params({"report.title": "Another"})
    outcome = copy.run(*PUBLISH)
    assert outcome.code == 1 and "out of date" in outcome.text and "dvc repro" in outcome.text
    assert len(outcome.text.splitlines()) == 1


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
