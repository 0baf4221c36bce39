import subprocess

import pytest

from pipeline.errors import UserError
from pipeline.revisions.git import git, git_revision


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "a.txt").write_text("one")
    return tmp_path


def commit(folder):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "a.txt"], [*identity, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def test_revision_says_whether_tracked_files_differ(repository):
    assert git_revision(repository) == "unknown"
    commit(repository)
    clean = git_revision(repository)
    assert len(clean) == 40
    (repository / "b.txt").write_text("untracked")
    assert git_revision(repository) == clean
    (repository / "a.txt").write_text("changed")
    assert git_revision(repository) == f"{clean} with uncommitted changes"


def test_asking_for_the_revision_does_not_write_the_index(repository):
    commit(repository)
    (repository / "a.txt").touch()
    before = (repository / ".git/index").stat().st_mtime_ns
    git_revision(repository)
    assert (repository / ".git/index").stat().st_mtime_ns == before


def test_a_failure_is_one_line_of_what_git_said(repository):
    with pytest.raises(UserError, match="git rev-parse: fatal: not a git repository") as caught:
        git(repository, "rev-parse", "HEAD")
    assert "\n" not in str(caught.value)


def test_a_machine_without_git_is_told_so(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="git is not installed"):
        git(repository, "version")
    assert git_revision(repository) == "unknown"


def test_variables_of_another_repository_do_not_lead_there(repository, monkeypatch):
    commit(repository)
    monkeypatch.setenv("GIT_DIR", "/nowhere/.git")
    assert len(git_revision(repository)) == 40
