"""One whole run of the miniature, shared by the tests of this folder."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.end_to_end.miniature import PARAMS
from tests.end_to_end.project import Project, make_project

MINUTES_15 = 900
# The tests of the toy analysis are run where it was added.
collect_ignore = ["quiet"]


# Two files that each begin with a run of their own: else a second process waits for the first one's.
FIRST = ("test_documentation.py", "test_planted_truths.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(MINUTES_15))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose `dvc repro` has ended and was committed; to be copied, not changed."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    done = folder / "finished-done"
    # The processes of pytest-xdist share one run.
    with (folder / "finished-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return Project(folder / "finished")
        project = make_project(folder / "finished", PARAMS)
        project.must("dvc", "repro")
        project.must("git", "add", "--all")
        project.must("git", "commit", "--quiet", "--message", "Its first run")
        done.touch()
    return project


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, to be changed."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="module")
def module_copy(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy for the tests of one module that leave it as they found it."""
    return finished.copy(tmp_path_factory.mktemp("module") / "project")
