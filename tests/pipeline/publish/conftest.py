import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

IDENTITY = {"user.name": "A Person", "user.email": "person@localhost"}
Git = Callable[..., str]


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """No setting of the machine's git, and no repository around the tests."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def git() -> Git:
    """Run git in a folder and return what it prints."""

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def report(tmp_path):
    """What the report stage writes, in small."""
    folder = tmp_path / "project" / "report"
    (folder / "figures").mkdir(parents=True)
    (folder / "index.html").write_text("<p>ü</p><!-- revision -->", encoding="utf-8")
    (folder / "figures" / "a.png").write_bytes(b"picture")
    return folder


@pytest.fixture
def project(report, git):
    """A repository with one commit, beside an untracked report."""
    folder = report.parent
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY.items():
        git(folder, "config", key, value)
    (folder / "params.yaml").write_text("a: 1\n")
    (folder / ".gitignore").write_text("/report/\n*.png\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    return folder


@pytest.fixture
def remote(project, git, tmp_path):
    """A bare repository, the project's origin."""
    folder = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    git(project, "remote", "add", "origin", str(folder))
    return folder
