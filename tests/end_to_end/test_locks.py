"""A network file system without locks: DVC is told so, and the stages warn once and run."""

from tests.end_to_end.project import Project

WITHOUT_LOCKS = """
import errno, fcntl
def flock(file, operation):
    raise OSError(errno.ENOLCK, "No locks available")
fcntl.flock = flock
"""


def test_a_run_without_locks_gives_one_warning_and_the_same_results(copy: Project):
    before = copy.results()
    (copy.root / "without").mkdir()
    (copy.root / "without" / "sitecustomize.py").write_text(WITHOUT_LOCKS)
    copy.must("dvc", "config", "--local", "core.hardlink_lock", "true")
    stages = ("manifest", "extract", "topk")
    outcome = copy.cold().must(
        "dvc", "repro", "--single-item", "--force", *stages, PYTHONPATH=str(copy.root / "without")
    )
    assert outcome.ran == set(stages)
    assert outcome.text.count("this file system has no locks (No locks available)") == 1, outcome.text
    assert copy.results() == before
