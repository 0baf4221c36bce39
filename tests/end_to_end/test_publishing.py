"""A finished run given to others, and compared with another."""

import re
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


def test_a_run_is_compared_with_its_revision_and_with_that_of_another_seed(copy: Project):
    """What the working tree holds beside what DVC's cache holds of a commit; nothing here is checked out."""
    compare = ("python", "-m", "pipeline.comparison", "HEAD")
    assert "nothing differs" in copy.must(*compare).text
    assert "Nothing differs." in _page(copy)
    copy.set_params({"model.training.seed": 1})
    copy.must("dvc", "repro", "topk", "predictions")
    assert "nothing differs" not in copy.must(*compare).text
    page = _page(copy)
    assert "model.training.seed" in page and "95 % interval" in page
    assert re.search(r"the second on\s+[0-9.]+\s%: a difference of −?[0-9.]+ percentage points", page)
    assert copy.run("git", "status", "--porcelain", "compare").text == ""


def _page(project: Project) -> str:
    return (project.root / "compare/index.html").read_text(encoding="utf-8").replace("\u00a0", " ")


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
